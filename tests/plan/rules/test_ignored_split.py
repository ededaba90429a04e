"""K341: a part that the source has itself is not split off."""

import numpy as np
import pytest

MODEL = "model: [Flatten, {Dense: {units: 10, activation: softmax}}]"


@pytest.mark.parametrize(
    ("split", "fires"),
    [("{test: 0.2}", 1), ("{test: 0}", 0), ("{validation: 0.2}", 0), ("{validation: 0.1, test: 500}", 1)],
)
def test_a_named_set_with_a_test_part(tell, split, fires):
    found = tell("K341", f"data: {{source: mnist, split: {split}}}\n{MODEL}")
    assert [severity for severity, _ in found] == ["warning"] * fires


def test_parts_of_a_file(tell, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((40, 4)), y=np.arange(40) % 10, xv=np.zeros((9, 4)), yv=np.arange(9))
    data = "data: {source: {npz: a.npz, x: x, y: y, validation: {x: xv, y: yv}}, split: {validation: 0.2, test: 0.2}}"
    assert tell("K341", f"{data}\n{MODEL}", tmp_path) == [
        ("warning", "the source has a validation part of its own, so `split.validation: 0.2` keeps nothing back")
    ]


def test_what_is_not_written_says_nothing(tell):
    assert tell("K341", f"data: {{source: mnist}}\n{MODEL}") == []
    assert tell("K341", f"data: {{source: digits, split: {{validation: 0.2, test: 0.2}}}}\n{MODEL}") == []
