"""What a person gets wrong in the writing of a spec, and the help that says how to write it."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

ROW = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [8]}}\n  layers:\n"
FIRE = "kbuild: 1\nblocks: {fire: {params: {squeeze: $required, expand: $required}, layers: [{Dense: $squeeze}, ReLU, {Dense: $expand}]}}\n"
FRAMES = "kbuild: 1\nblocks: {frame: {params: {units: 3}, layers: [{Dense: $units}]}}\nmodel:\n  inputs: {x: {shape: [4, 8]}}\n  layers:\n"
DIGITS = "kbuild: 1\ndata: {source: digits}\nmodel: [Flatten, {Dense: {units: 10, activation: softmax}}]\n"

WRITTEN = {
    "a colon is missing": (ROW + "    - Dense {units: 3}\n", "K102", "a colon is missing: `Dense: {…}`"),
    "a call as in Python": (ROW + "    - Dense(3)\n", "K102", "write `Dense: …`, or `Dense: {argument: …}`"),
    "an empty call as in Python": (ROW + "    - Flatten()\n", "K102", "write `Flatten`"),
    "a number in quotes": (ROW + "    - Dense: \"64\"\n", "K105", "leave out the quotes: in them it is text"),
    "two widths in one layer": (ROW + "    - Dense: [64, 32]\n", "K109", "write an entry for each: `Dense: 64`, `Dense: 32`"),
    "two arguments in a list": (ROW + "    - Conv2D: [32, 3]\n", "K109", "write `Conv2D: {filters: 32, kernel_size: 3}`"),
    "a list as a block's arguments": (
        FIRE + "model: {inputs: {x: {shape: [8]}}, layers: [{fire: [3, 4]}]}\n",
        "K104", "write `fire: {squeeze: 3, expand: 4}`",
    ),
    "one of two parameters": (
        FIRE + "model: {inputs: {x: {shape: [8]}}, layers: [{fire: 3}]}\n",
        "K104", "write `fire: {squeeze: 3, expand: …}`",
    ),
    "names of parameters in a list": (
        "kbuild: 1\nblocks: {fire: {params: [squeeze, expand], layers: [{Dense: $squeeze}]}}\nmodel: {inputs: {x: {shape: [8]}}, layers: [{fire: 3}]}\n",
        "K101", "write `params: {squeeze: $required, expand: $required}`",
    ),
    "a block in the place of an argument": (
        FRAMES + "    - TimeDistributed: {frame: 48}\n",
        "K103", "write `TimeDistributed: {layer: {frame: 48}}`",
    ),
    "arguments beside an optimizer": (
        DIGITS + "train: {optimizer: {adam: 1e-3, clipnorm: 1}}\n",
        "K105", "arguments of `adam` stand under it: `adam: {…, clipnorm: 1}`",
    ),
    "a key of a schedule": (
        DIGITS + "train: {schedule: {cosine: {from: 1}}}\n",
        "K101", "there is `to`, `warmup`",
    ),
    "a number in the place of a section": (
        DIGITS + "train: {early_stopping: 5}\n",
        "K105", "write `early_stopping: {…}` with `monitor`, `patience`, ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_the_help_is_what_to_write(name):
    text, code, help = WRITTEN[name]
    with pytest.raises(SpecError) as caught:
        check(load(text))
    (problem,) = caught.value.problems
    assert (problem.code, problem.help and problem.help[: len(help)]) == (code, help)
