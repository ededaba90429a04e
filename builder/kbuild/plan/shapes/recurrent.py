"""Recurrent layers: SimpleRNN, GRU, LSTM, RNN of cells, ConvLSTM. Output, then the states where they are asked for."""

from collections.abc import Mapping
from functools import partial
from typing import cast

from kbuild.plan.shapes.convolution import strides_or_dilation
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.grid import slid, split, words
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show
from kbuild.spec.call import Call, Value

_STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}


def recurrent(given: Given) -> Shapes:
    """(time, features) → (units,), with `return_sequences` (time, units); one state (units,), for LSTM two: h, c."""
    return _outputs(given, [given.whole("units")] * _STATES[given.name])


def cells(given: Given) -> Shapes:
    """`RNN` of a cell, or of a list of them one upon the other: the last one's output, the states of all, flat."""
    cell = given.raw("cell")
    stack = list(cell) if isinstance(cell, (list, tuple)) else [cell]
    sizes = [_states(given, one) for one in stack]
    if not sizes:
        raise given.wrong("cell", "a cell or a list of cells", cell)
    return _outputs(given, [size for states in sizes for size in states], sizes[-1][0])


def cell(given: Given) -> Shapes:
    """One step of a recurrent layer: features and the states before it → (units,), and the states after it."""
    sizes = _states(given, Call("layers", given.name, cast(Mapping[str, Value], given.args)))
    if not sizes:
        raise given.wrong("cells", "a list of cells", given.raw("cells", []))
    shape = given.tensor(0, "inputs", outputs=1 + len(sizes))
    if not shape:
        given.rank(shape, ("features",))
    if not given.has(1, "states"):
        raise ShapeMistake(f"`{given.name}` needs the inputs `inputs` and `states`", "for a whole sequence use `RNN`")
    states = tuple((size,) for size in sizes)
    last = len(sizes) - (2 if _ends_with_lstm(given) else 1)
    return ((*shape[:-1], sizes[last]), *states)


def conv_lstm(given: Given, rank: int) -> Shapes:
    """(time, rows, columns, channels) → (rows', columns', filters), with `return_sequences` one for each time."""
    filters, first = given.whole("filters"), given.channels_first()
    kernel = given.sizes("kernel_size", rank)
    strides, dilation = (
        given.sizes("strides", rank, 1),
        given.sizes("dilation_rate", rank, 1),
    )
    padding = given.choice("padding", "valid", ("valid", "same"))
    strides_or_dilation(given, rank)
    shape = given.tensor(0, "sequences", outputs=3 if given.flag("return_state") else 1)
    given.rank(shape, words(rank, first, time=True))
    places = split(given, shape[1:], rank, first)
    out = places.shape(slid(given, places.sizes, kernel, strides, padding, dilation), filters)
    given_states(given, [out, out])
    output = (shape[0], *out) if given.flag("return_sequences") else out
    return (output, out, out) if given.flag("return_state") else (output,)


def given_states(given: Given, wanted: list[Known]) -> None:
    """Checks `initial_state`, if there is one.

    Raises:
        ShapeMistake: another number of states, or another shape.
    """
    if not given.has(1, "initial_state"):
        return
    value = given.find(1, "initial_state")
    states = value if isinstance(value, list) else [value]
    text = ", ".join(show(shape) for shape in wanted)
    if len(states) != len(wanted):
        raise ShapeMistake(
            f"`{given.name}` has {_count(len(wanted))} but `initial_state` gives {len(states)}",
            f"give {text}, in that order",
        )
    for state, shape in zip(states, wanted, strict=True):
        if isinstance(state, tuple) and not _fits(state, shape):
            raise ShapeMistake(
                f"`{given.name}` needs an initial state of {show(shape)} but gets {show(state)}",
                "the layer that gives the state must have as many units",
            )


def _outputs(given: Given, states: list[int], size: int | None = None) -> Shapes:
    shape = given.tensor(0, "sequences", outputs=1 + len(states) if given.flag("return_state") else 1)
    given.rank(shape, ("time", "features"))
    given_states(given, [(state,) for state in states])
    size = states[0] if size is None else size
    output = (shape[0], size) if given.flag("return_sequences") else (size,)
    return (output, *((state,) for state in states)) if given.flag("return_state") else (output,)


def _states(given: Given, cell: object) -> list[int]:
    if not isinstance(cell, Call):
        raise given.wrong("cell", "a cell such as `LSTMCell: 32`, or a list of cells", cell)
    inner = Given(cell.name, cell.args, ())
    if cell.name == "StackedRNNCells":
        inside = inner.raw("cells")
        return [size for one in (inside if isinstance(inside, list) else [inside]) for size in _states(inner, one)]
    if cell.name in ("LSTMCell", "GRUCell", "SimpleRNNCell"):
        return [inner.whole("units")] * _STATES[cell.name.removesuffix("Cell")]
    if cell.name.removesuffix("Cell") == cell.name and cell.name in _STATES:
        raise given.wrong("cell", f"a cell: `{cell.name}Cell`", cell)
    raise UnknownShape(None if given.flag("return_state") else 1)


def _ends_with_lstm(given: Given) -> bool:
    cells = given.args.get("cells")
    last = cells[-1] if isinstance(cells, (list, tuple)) else cells
    return (last.name if isinstance(last, Call) else given.name) == "LSTMCell"


def _fits(state: Known, shape: Known) -> bool:
    return len(state) == len(shape) and all(a == b or None in (a, b) for a, b in zip(state, shape, strict=True))


def _count(states: int) -> str:
    return "1 state" if states == 1 else f"{states} states"


RULES: dict[str, Rule] = {
    **dict.fromkeys(_STATES, recurrent),
    "RNN": cells,
    **dict.fromkeys(("SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"), cell),
    **{f"ConvLSTM{rank}D": partial(conv_lstm, rank=rank) for rank in (1, 2, 3)},
}
