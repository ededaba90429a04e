"""a recurrent layer that leaves the fast path

What it does
    Finds `LSTM` and `GRU` with arguments that NVIDIA's kernel does not have: another `activation` than tanh, another
    `recurrent_activation` than sigmoid, `recurrent_dropout`, `unroll`, `use_bias: false`, and `reset_after: false`
    for a `GRU`.

Why is this bad?
    On a GPU Keras hands such a layer to cuDNN if all of these are as they are by default, and else computes it step
    by step, many times slower. A ReLU brings a danger besides: what an LSTM or GRU carries on is then unbounded and
    may grow with each step.

Example
    - LSTM: {units: 128, activation: relu}

Use instead
    - LSTM: 128

Source
    keras.layers.LSTM and keras.layers.GRU: "the requirements to use the cuDNN implementation". Hochreiter and
    Schmidhuber: Long short-term memory, Neural Computation 9 (1997).
"""

from collections.abc import Iterator

from kbuild.plan.rules.kinds import family, kind, layer, plain
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.spec.call import Call
from kbuild.text.problem import Problem

CODE = "K329"
SEVERITY = "hint"

_WANTED = {"activation": "tanh", "recurrent_activation": "sigmoid"}
_UNBOUNDED = frozenset({"relu", "leakyrelu", "elu", "selu", "gelu", "silu", "linear"})


def find(net: Net) -> Iterator[Problem]:
    """Recurrent layers that cuDNN cannot compute."""
    for step in net.steps:
        call = layer(step)
        if family(step) != "recurrent" or kind(step) == "SimpleRNN":
            continue
        wrong = [argument for argument in call.args if _outside(call, argument)]
        if wrong:
            listed = " and ".join(f"`{argument}: {_shown(call.args[argument])}`" for argument in wrong)
            grows = plain(call.args.get("activation", "tanh")) in _UNBOUNDED
            more = ", and its state may grow without bound" if grows else ""
            message = f"{listed} keeps `{step.name}` from cuDNN's kernel{more}"
            yield at_step(CODE, SEVERITY, step, message, "leave it as it is by default", argument=wrong[0])


def _outside(call: Call, argument: str) -> bool:
    value = call.args[argument]
    if argument in _WANTED:
        return plain(value) != _WANTED[argument]
    if argument == "recurrent_dropout":
        return bool(value)
    if argument == "unroll":
        return value is True
    return argument in {"use_bias", "reset_after"} and value is False


def _shown(value: object) -> str:
    if isinstance(value, Call):
        return value.name
    return (
        {True: "true", False: "false", None: "null"}.get(value, str(value))
        if not isinstance(value, float)
        else f"{value:g}"
    )  # type: ignore[arg-type]
