"""chart: a curve in a terminal. The pictures are read back by hand: where a value stands is known."""

import math

import numpy as np
import pytest

from kbuild.cli.chart import HEIGHT, WIDTH, chart

RATES = (1e-4 * 10 ** (np.arange(61) / 20)).tolist()  # 1e-4 to 1e-1


def dots(lines: list[str]) -> set[tuple[int, int]]:
    """(column, row) of every dot of a braille picture, from the top left."""
    bits = {
        0x01: (0, 0),
        0x02: (0, 1),
        0x04: (0, 2),
        0x40: (0, 3),
        0x08: (1, 0),
        0x10: (1, 1),
        0x20: (1, 2),
        0x80: (1, 3),
    }
    found = set()
    for row, line in enumerate(lines[:HEIGHT]):
        for column, letter in enumerate(line[9:]):
            code = ord(letter) - 0x2800
            found |= {(2 * column + x, 4 * row + y) for bit, (x, y) in bits.items() if 0 <= code < 256 and code & bit}
    return found


def test_a_straight_line_goes_from_corner_to_corner():
    found = dots(chart(RATES, np.linspace(2.0, 1.0, 61).tolist(), (1.0, 2.0), None))
    assert {(0, 0), (2 * WIDTH - 1, 4 * HEIGHT - 1)} <= found
    assert {x for x, _ in found} == set(range(2 * WIDTH))
    assert all(abs(y - x * (4 * HEIGHT - 1) / (2 * WIDTH - 1)) <= 1.5 for x, y in found)


def test_the_axis_names_values_and_powers_of_ten():
    lines = chart(RATES, [1.5] * 61, (1.0, 2.0), None)
    assert lines[0].startswith("       2")
    assert lines[HEIGHT - 1].startswith("       1")
    assert lines[HEIGHT + 1].split() == ["1e-4", "1e-3", "1e-2", "1e-1"]
    assert lines[HEIGHT].count("┴") == 4
    assert len(lines) == HEIGHT + 2


def test_the_mark_stands_at_its_rate():
    lines = chart(RATES, [1.0] * 61, (1.0, 2.0), 1e-2)
    column = 9 + round(2 / 3 * (2 * WIDTH - 1)) // 2
    assert all(line[column] == "┆" for line in lines[: HEIGHT - 1])
    assert lines[-1][column:] == "▲ 0.01"
    near_the_border = chart(RATES, [1.0] * 61, (1.0, 2.0), 0.099)
    assert near_the_border[-1].endswith("0.099 ▲")
    assert max(map(len, near_the_border)) <= WIDTH + 10


def test_what_is_no_number_or_far_above_is_left_out():
    curve = [1.0] * 30 + [50.0, math.nan, math.inf] + [1.0] * 28
    found = dots(chart(RATES, curve, (1.0, 2.0), None))
    assert {y for _, y in found} == {4 * HEIGHT - 1}
    assert not {x for x, _ in found} & set(range(64, 68))


def test_where_braille_is_lacking_there_are_stars():
    lines = chart(RATES, np.linspace(2.0, 1.0, 61).tolist(), (1.0, 2.0), 1e-2, width=40, braille=False)
    assert all(line.isascii() for line in lines)
    assert sum(line.count("*") for line in lines) >= 40
    assert "^ 0.01" in lines[-1]


@pytest.mark.parametrize("count", [2, 3])
def test_a_test_that_was_stopped_at_once_is_drawn(count):
    assert len(chart(RATES[:count], [1.0, 2.0, 1.0][:count], (1.0, 2.0), None)) == HEIGHT + 2
