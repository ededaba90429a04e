"""Recurrent layers: what a cell costs at one time, over all times."""

import math
from functools import partial

from kbuild.plan.cost.cost import Cost
from kbuild.plan.cost.use import Rule, Use, Weights, Work, last, rule, size
from kbuild.plan.shapes.given import Given
from kbuild.plan.shapes.grid import split
from kbuild.plan.shapes.mistake import UnknownShape
from kbuild.spec.call import Call

_GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
_POINTWISE = {"SimpleRNN": 1, "GRU": 8, "LSTM": 9}
"""For each unit, beside the products: the gates' nonlinearities, and what they switch."""
_STATES = {"SimpleRNN": 0, "GRU": 1, "LSTM": 2}
"""For each unit, beside the gates: what a step keeps of its states."""


def cell(name: str, given: Given, features: int) -> tuple[Cost, int]:
    """One step of a cell: its weights, operations and kept numbers, and how many numbers it gives."""
    gates, units = _GATES[name], given.whole("units")
    bias = bool(given.args.get("use_bias", True))
    # with `reset_after` the recurrent product has a bias of its own, and is kept apart
    twice = name == "GRU" and bool(given.args.get("reset_after", True))
    wide = gates * units
    params = wide * (features + units) + wide * bias * (1 + twice)
    flops = wide * 2 * (features + units) + wide * bias * (1 + twice) + _POINTWISE[name] * units
    found = Cost(params, 0, flops, (gates + _STATES[name] + twice) * units)
    return (found.fixed if given.args.get("trainable") is False else found), units


def cells(value: object, features: int) -> tuple[Cost, int]:
    """One step of a cell, or of several one upon the other. Raises UnknownShape for what is no cell of Keras."""
    if isinstance(value, list | tuple):
        total = Cost()
        for each in value:
            found, features = cells(each, features)
            total += found
        return total, features
    if not isinstance(value, Call):
        raise UnknownShape
    if value.name == "StackedRNNCells":
        return cells(value.args.get("cells"), features)
    if value.name.removesuffix("Cell") not in _GATES:
        raise UnknownShape
    return cell(value.name.removesuffix("Cell"), Given(value.name, value.args, ()), features)


def recurrent(use: Use) -> Cost:
    """A cell for every time of (time, features)."""
    shape = use.given.tensor(0, "sequences")
    return over(cell(use.given.name, use.given, last(shape))[0], shape[0])


def network(use: Use) -> Cost:
    """`RNN`: its cell, or its cells, for every time."""
    shape = use.given.tensor(0, "sequences")
    return over(cells(use.args.get("cell"), last(shape))[0], shape[0])


def step(use: Use) -> Cost:
    """A cell as a layer: one time."""
    return cells(Call("layers", use.given.name, use.args), last(use.given.tensor()))[0]  # type: ignore[arg-type]


def over(cost: Cost, times: int | None) -> Cost:
    """The same layer at that many times, or places."""
    flops, kept = (None if one is None or times is None else one * times for one in (cost.flops, cost.kept))
    return Cost(cost.trainable, cost.frozen, flops, kept)


def conv_lstm_weights(use: Use, rank: int) -> Weights:
    """A kernel over the input, one over the state, and a bias, four filters for each."""
    filters, kernel = use.given.whole("filters"), math.prod(use.given.sizes("kernel_size", rank))
    return 4 * filters * (kernel * (_channels(use, rank) + filters) + use.asks("use_bias")), 0


def conv_lstm_work(use: Use, rank: int) -> Work:
    """At every time both convolutions at every place of the map that comes out, then what `LSTM` does."""
    filters, kernel = use.given.whole("filters"), math.prod(use.given.sizes("kernel_size", rank))
    times = size(use.given.tensor(0, "sequences")[0])
    out = use.out()
    count = times * math.prod(out[1:] if use.given.flag("return_sequences") else out)
    each = 4 * (2 * kernel * (_channels(use, rank) + filters) + use.asks("use_bias")) + _POINTWISE["LSTM"]
    return count * each, count * (_GATES["LSTM"] + _STATES["LSTM"])


def _channels(use: Use, rank: int) -> int:
    shape = use.given.tensor(0, "sequences")
    return size(split(use.given, shape[1:], rank, use.given.channels_first()).channels)


RULES: dict[str, Rule] = {
    **dict.fromkeys(_GATES, recurrent),
    "RNN": network,
    **dict.fromkeys((*(f"{name}Cell" for name in _GATES), "StackedRNNCells"), step),
    **{
        f"ConvLSTM{rank}D": rule(partial(conv_lstm_work, rank=rank), partial(conv_lstm_weights, rank=rank), holds=True)
        for rank in (1, 2, 3)
    },
}
