"""Every rule over odd arguments and inputs: shapes or a ShapeMistake, never another exception."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import several

from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.plan.shapes.table import RULES
from kbuild.spec.call import Call
from kbuild.spec.signature import signature

shape = st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=4).map(tuple)
odd = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 9),
        st.floats(allow_nan=False),
        st.sampled_from(["", "same", "valid", "channels_first", "ab,bc->ac", "bth,bsh->bts", "a->"]),
        st.sampled_from([Call("layers", "LSTM", {"units": 4}), Call("layers", "Dense"), Call("layers", "NoSuch")]),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
tensor = st.one_of(st.none(), shape, st.lists(st.one_of(st.none(), shape), max_size=3), st.booleans())


@pytest.mark.parametrize("namespace", ["layers", "ops"])
def test_a_rule_gives_shapes_or_a_mistake(namespace):
    names = sorted(RULES[namespace])
    known = {name: signature(namespace, name) for name in names}

    @several
    @given(st.data())
    def try_all(data: st.DataObject) -> None:
        for name in data.draw(st.lists(st.sampled_from(names), min_size=5, max_size=20)):
            found = known[name]
            parameters = [p.name for p in found.parameters] if found else []
            picked = data.draw(st.sets(st.sampled_from(parameters or ["axis"]), max_size=5))
            args: dict[str, Any] = {key: data.draw(odd) for key in sorted(picked)}
            inputs = data.draw(st.lists(tensor, max_size=3))
            call = data.draw(st.dictionaries(st.sampled_from(["query", "value", "states", "initial_state"]), tensor))
            try:
                out = shapes_of(name, args, inputs, call, namespace)
            except ShapeMistake as mistake:
                assert mistake.message and "\n" not in mistake.message and not mistake.message.endswith(".")
                continue
            assert out is None or all(one is None or isinstance(one, tuple) for one in out)

    try_all()
