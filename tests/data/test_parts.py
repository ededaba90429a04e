"""How many examples each part has after the split: what `split` itself gives, told without reading any."""

import numpy as np
import pytest

from kbuild.data.dataset import Part
from kbuild.data.parts import sizes
from kbuild.data.split import split
from kbuild.spec.data import Split


@pytest.mark.parametrize("count", [3, 7, 150, 1797])
@pytest.mark.parametrize(
    "how", [Split(), Split(validation=0.15, test=0.2), Split(validation=1, test=0.0), Split(validation=0.0, test=0.34)]
)
@pytest.mark.parametrize("own", [{}, {"test": 5}, {"validation": 2, "test": 5}])
def test_what_is_told_is_what_split_gives(count, how, own):
    parts = {name: Part({"x": np.zeros((n, 1))}) for name, n in {"train": count, **own}.items()}
    found = split(parts, {}, how, 0)
    told = sizes({"train": count, **own}, how)
    assert {name: n for name, n in told.items() if n} == {name: len(part) for name, part in found.items()}


def test_what_is_not_known_stays_so():
    assert sizes({"train": None, "test": 5}, Split()) == {"train": None, "validation": None, "test": 5}
    assert sizes({}, Split()) == {"train": None, "validation": None, "test": None}
