"""The share of a hole's range, and the value there."""

import pytest

from kbuild.spec.hole import hole
from kbuild.spec.values import at, values
from kbuild.text.node import node


@pytest.mark.parametrize(
    "written",
    [
        {"$int": [1, 4]}, {"$int": [2, 9], "step": 3}, {"$int": [32, 512], "step": 2, "sampling": "log"},
        {"$int": [1, 5], "sampling": "log"}, {"$float": [0, 0.9], "step": 0.1}, {"$bool": True},
        {"$choice": ["a", "b", "c"]},
    ],
)  # fmt: skip
def test_every_value_has_its_share(written):
    made = hole(node(written))
    found = [at(made, share / 500) for share in range(501)]
    assert list(dict.fromkeys(found)) == list(values(made))


@pytest.mark.parametrize("sampling", ["linear", "log", "reverse_log"])
def test_a_number_without_steps_goes_from_end_to_end(sampling):
    made = hole(node({"$float": [0.01, 10.0], "sampling": sampling}))
    found = [at(made, share / 100) for share in range(101)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (pytest.approx(0.01), pytest.approx(10.0))
    middle = {"linear": 5.005, "log": 0.1**0.5, "reverse_log": 10.01 - 0.1**0.5}[sampling]
    assert found[50] == pytest.approx(middle)


def test_shares_outside_are_the_ends():
    made = hole(node({"$int": [3, 7]}))
    assert (at(made, -1.0), at(made, 2.0)) == (3, 7)
