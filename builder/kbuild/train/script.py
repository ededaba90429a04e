"""Run → Python: its network as a script of plain Keras, and how it was compiled, for whoever trains it otherwise."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kbuild.data.header import Header, Target, Tensor
from kbuild.plan.check import check
from kbuild.plan.head import Head
from kbuild.spec.call import Call
from kbuild.spec.spec import Spec
from kbuild.version import __version__

if TYPE_CHECKING:
    import keras

WEIGHTS = ".weights.h5"
"""What the file of the weights ends with, where the script ends with `.py`."""
_TRAINED = '''\
def trained() -> keras.Model:
    """The network with the weights of the run."""
    model = network()
    model.load_weights(Path(__file__).with_suffix("WEIGHTS"))
    return model


if __name__ == "__main__":
    trained().summary()
'''.replace("WEIGHTS", WEIGHTS)


def script(spec: Spec, info: Mapping[str, Any], model: "keras.Model") -> str:
    """The text of a Python file with the functions `network`, `compile` and `trained`.

    Args:
        info: of the run, which knows what its data were.
        model: of the run, its weights trained.
    """
    import keras

    from kbuild.model.python import python

    found = check(spec, _header(info, model))
    text, imports = python(found.plan, model, spec.train.precision)
    compiled, more = _compiled(spec, found.heads, model)
    said = f"The network `{spec.name}` in Keras {keras.__version__}, as kbuild {__version__} wrote it."
    if any(step.remat for step in found.plan.steps):
        said += "\n\nNothing is computed twice to save memory, as `remat` did.\n"
    imports = "\n".join(["from pathlib import Path", "", "import keras", *sorted({*imports, *more})])
    return "\n\n\n".join([f'"""{said}"""\n\n{imports}', text, compiled, _TRAINED])


def _header(info: Mapping[str, Any], model: "keras.Model") -> Header:
    """What the data of a run were: they need not be there any more."""
    shapes = dict(zip(model.output_names, (tuple(one.shape[1:]) for one in model.outputs), strict=False))
    inputs = {name: Tensor(tuple(one["shape"]), one["dtype"]) for name, one in info["inputs"].items()}
    targets = {}
    for one in info["outputs"]:
        if one["task"] is None:
            continue
        hot = one["loss"] == "CategoricalCrossentropy"
        number = one["task"] in ("regression", "reconstruction")
        shape = shapes.get(one["name"], ()) if number or one["task"] == "multilabel" else ()
        shape, kind = ((one["count"],), "float32") if hot else (shape, "float32" if number else "int32")
        targets[one["name"]] = Target(shape, kind, one["task"], tuple(one["classes"]), one["count"], hot)
    return Header(inputs, targets)


def _compiled(spec: Spec, heads: Sequence[Head], model: "keras.Model") -> tuple[str, set[str]]:
    """The function `compile`, and what it imports beside `keras`."""
    from kbuild.model.python import Writer

    writer, train, single = Writer(model), spec.train, len(heads) == 1
    optimizer = writer.code(train.optimizer)
    if train.optimizer.namespace == "identifier" or train.accumulate > 1:
        optimizer = f"keras.optimizers.get({optimizer})"
    lines = [f"optimizer = {optimizer}"]
    if isinstance(train.schedule, Call):
        lines.append(f"optimizer.learning_rate = {writer.code(train.schedule)}")
    elif train.schedule is not None:
        lines.append(f"# in the run its rate followed `{train.schedule.kind}` of kbuild")
    if train.accumulate > 1:
        lines.append(f"optimizer.gradient_accumulation_steps = {train.accumulate}")
    losses = {head.output: writer.code(head.loss) for head in heads if head.loss is not None}
    metrics = {head.output: writer.code(list(head.metrics)) for head in heads if head.metrics}
    weights = {head.output: head.weight for head in heads if head.loss is not None}
    told = ["optimizer=optimizer"]
    if losses:
        told.append(f"loss={next(iter(losses.values())) if single else _by_name(losses)}")
    if not single and any(weight != 1 for weight in weights.values()):
        told.append(f"loss_weights={weights}")
    if metrics:
        told.append(f"metrics={next(iter(metrics.values())) if single else _by_name(metrics)}")
    lines += ["model.compile(", *(f"    {one}," for one in told), ")"]
    body = textwrap.indent("\n".join(lines), "    ")
    return f'def compile(model: keras.Model) -> None:\n    """Compile it as the run did."""\n{body}', writer.imports


def _by_name(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name!r}: {value}" for name, value in values.items()) + "}"
