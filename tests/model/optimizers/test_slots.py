"""The numbers that an optimizer keeps (`kbuild.plan.memory`) against the variables that the real one builds."""

import json

import keras
import numpy as np
import pytest

from kbuild.model.objects import make
from kbuild.plan.memory import SLOTS, slots
from kbuild.spec.call import Call
from kbuild.spec.load import load
from kbuild.spec.signature import names, signature

ROWS, COLUMNS = 200, 300
ADAM = {"Adam": {"amsgrad": True}}
ARGUMENTS = {"Lookahead": {"optimizer": ADAM}, "LossScaleOptimizer": {"inner_optimizer": ADAM}}
PLAIN = [(name, ARGUMENTS.get(name, {})) for name in names("optimizers") if name in SLOTS]
FLAGS = ("momentum", "centered", "amsgrad", "amsbound", "use_ema", "gradient_accumulation_steps")


def asked() -> list[tuple[str, dict[str, object]]]:
    """Every optimizer as it is, and with each argument that may ask for more."""
    more = []
    for name, arguments in PLAIN:
        known = signature("optimizers", name)
        assert known is not None
        taken = {p.name for p in known.parameters} & set(FLAGS)
        values = {"momentum": 0.9, "gradient_accumulation_steps": 4}
        more += [(name, {**arguments, flag: values.get(flag, True)}) for flag in sorted(taken)]
    return [*PLAIN, *more]


def call(name: str, arguments: dict[str, object]) -> Call:
    tree = {"kbuild": 1, "model": [{"Dense": 1}], "train": {"optimizer": {name: arguments}}}
    return load(json.dumps(tree, indent=1)).train.optimizer


def test_every_optimizer_that_a_spec_can_take_is_in_the_table():
    admitted = {name for name in names("optimizers") if (known := signature("optimizers", name)) and not known.abstract}
    # it takes a map of optimizers to filters, which is code
    assert admitted - set(SLOTS) == {"MultiOptimizer"}


@pytest.mark.parametrize(("name", "arguments"), asked(), ids=lambda value: str(value))
def test_slots_are_those_that_keras_makes(name: str, arguments: dict[str, object]):
    made = call(name, arguments)
    optimizer = make(made)
    variable = keras.Variable(np.zeros((ROWS, COLUMNS), "float32"), name="kernel")
    optimizer.build([variable])
    numbers = sum(int(np.prod(v.shape)) for v in optimizer.variables)
    count, rest = divmod(numbers, ROWS * COLUMNS)
    assert count == slots(made)
    # step counters, and Adafactor's row and column averages
    assert rest <= ROWS + COLUMNS + 10


def test_an_optimizer_without_a_row_is_unknown():
    assert slots(Call("optimizers", "Mine")) is None
    assert slots(Call("optimizers", "Lookahead", {"optimizer": Call("optimizers", "Mine")})) is None
    assert slots(Call("optimizers", "Lookahead", {"optimizer": "adam"})) == 3
