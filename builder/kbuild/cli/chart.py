"""A loss over the learning rate → lines of text for a terminal: a curve in braille, or in stars where those lack."""

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 64, 12
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille character: left and right column, from the top."""


def chart(
    rates: Sequence[float],
    curve: Sequence[float],
    span: tuple[float, float],
    mark: float | None,
    *,
    width: int = WIDTH,
    braille: bool = True,
) -> list[str]:
    """Draw a curve over the logarithm of the rate.

    Args:
        rates: (n,), growing, above 0.
        curve: (n,); what is not finite or above `span` is left out.
        span: the lowest and the highest value that is shown.
        mark: a rate at which a line goes up; None draws none.
        width: of the curve, in characters, >= 16.
        braille: two by four dots a character; else one star.

    Returns:
        The lines, of at most `width + 10` characters, nothing at their ends.
    """
    columns, rows = (2, 4) if braille else (1, 1)
    wide, tall = width * columns, HEIGHT * rows
    places = [_place(rate, rates, wide) for rate in rates]
    cells: dict[tuple[int, int], int] = {}
    for x, y in _points(places, curve, span, wide, tall):
        at = (y // rows, x // columns)
        cells[at] = cells.get(at, 0) | _DOTS[x % columns][y % rows] if braille else 1
    upright, corner, flat, tick, arrow = "┆└─┴▲" if braille else "|+-+^"
    column = None if mark is None else _place(mark, rates, wide) // columns
    lines = []
    for row in range(HEIGHT):
        label = span[1] if row == 0 else span[0] if row == HEIGHT - 1 else None
        text = "".join(_cell(cells.get((row, x)), x == column, braille, upright) for x in range(width))
        lines.append(f"{'' if label is None else f'{label:.3g}':>8} {text}")
    ticks = {_place(rate, rates, wide) // columns: rate for rate in _decades(rates)}
    lines.append(" " * 8 + corner + "".join(tick if x in ticks else flat for x in range(width)))
    lines.append(" " * 9 + _labels(ticks, width))
    if column is not None:
        text = f"{mark:g}"
        before = column + 2 + len(text) > width
        lines.append(" " * 9 + (f"{text} {arrow}".rjust(column + 1) if before else " " * column + f"{arrow} {text}"))
    return [line.rstrip() for line in lines]


def _place(rate: float, rates: Sequence[float], wide: int) -> int:
    """The column of a rate, from 0; those outside go to the border."""
    low, high = math.log(rates[0]), math.log(rates[-1])
    share = (math.log(rate) - low) / (high - low) if high > low else 0.0
    return min(max(round(share * (wide - 1)), 0), wide - 1)


def _points(
    places: Sequence[int], curve: Sequence[float], span: tuple[float, float], wide: int, tall: int
) -> list[tuple[int, int]]:
    """Every dot of the curve: at each column a value, or a line down from one to the next."""
    low, high = span
    found: list[tuple[int, int]] = []
    before: tuple[int, int] | None = None
    for x, value in zip(places, curve, strict=True):
        if not math.isfinite(value) or value > high:
            before = None
            continue
        y = min(max(round((high - value) / (high - low) * (tall - 1)), 0), tall - 1)
        found += _line(before, (x, y)) if before is not None else [(x, y)]
        before = (x, y)
    return found


def _line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    count = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
    steps = ((at / count) for at in range(count + 1))
    return [(round(start[0] + s * (end[0] - start[0])), round(start[1] + s * (end[1] - start[1]))) for s in steps]


def _cell(dots: int | None, marked: bool, braille: bool, upright: str) -> str:
    if dots is None:
        return upright if marked else " "
    return chr(0x2800 + dots) if braille else "*"


def _decades(rates: Sequence[float]) -> list[float]:
    first, last = math.ceil(math.log10(rates[0]) - 1e-9), math.floor(math.log10(rates[-1]) + 1e-9)
    return [10.0**power for power in range(first, last + 1)]


def _labels(ticks: dict[int, float], width: int) -> str:
    """The powers of ten under their ticks, those left out that would touch the one before."""
    text = ""
    for at, rate in ticks.items():
        label = f"1e{round(math.log10(rate))}"
        start = min(max(at - len(label) // 2, 0), width - len(label))
        if start > len(text) or not text:
            text = text.ljust(start) + label
    return text
