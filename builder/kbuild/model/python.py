"""Plan → Python: the network as a script of plain Keras, a line for each step."""

import builtins
import importlib
import inspect
import json
import keyword
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import keras

from kbuild.model import objects
from kbuild.model.use import used
from kbuild.plan.plan import Plan, Ref, Step
from kbuild.spec.call import Call, Nested
from kbuild.spec.signature import NAMESPACES

WIDTH = 110
_INDENT = "    "


def python(plan: Plan, model: keras.Model, precision: str = "float32") -> tuple[str, list[str]]:
    """The function `network` that makes the model anew, and the imports that it needs beside `keras`.

    Args:
        model: built of the plan, and trained: what its layers have learned that is no weight is written down.
        precision: the policy under which it was built.
    """
    writer = Writer(model)
    body = writer.function("network", plan, "The network, with new weights.", precision)
    return "\n\n\n".join([*writer.functions, body]), sorted(writer.imports)


@dataclass(slots=True)
class Writer:
    """What is gathered while a plan is written: functions for the models inside it, and imports."""

    model: keras.Model
    functions: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)

    def function(self, name: str, plan: Plan, said: str, precision: str = "float32") -> str:
        """The function that makes the model of a plan."""
        names = Names(plan, {layer.name: layer for layer in self.model.layers})
        lines = [f"def {name}() -> keras.Model:", f'{_INDENT}"""{said}"""']
        if precision != "float32":
            lines += [f"{_INDENT}before = keras.config.dtype_policy()"]
            lines += [f"{_INDENT}keras.config.set_dtype_policy({_text(precision)})"]
        for given in plan.inputs:
            shape = given.shape or self._shape(given.name)
            type_of = [f"dtype={_text(given.dtype)}"] if given.dtype else []
            lines.append(
                _line(f"{names[given.name]} = keras.Input", [f"{shape}", f"name={_text(given.name)}", *type_of])
            )
        for step in plan.steps:
            lines += self._step(step, plan, names, precision)
        inputs = {given.name: names[given.name] for given in plan.inputs}
        outputs = {key: names.ref(ref) for key, ref in plan.outputs.items()}
        if precision != "float32":
            lines.append(f"{_INDENT}keras.config.set_dtype_policy(before)")
        ends = [_one_or_all(inputs), _one_or_all(outputs), f"name={_text(plan.name.replace('/', '-'))}"]
        return "\n".join([*lines, _line("return keras.Model", ends)])

    def _shape(self, name: str) -> tuple[int | None, ...]:
        return next(tuple(tensor.shape[1:]) for tensor in self.model.inputs if tensor.name == name)

    def _step(self, step: Step, plan: Plan, names: "Names", precision: str) -> list[str]:
        name, given = names[step.name], [self.code(value, names) for value in step.args]
        given += [f"{key}={self.code(value, names)}" for key, value in step.kwargs.items()]
        if step.call.namespace == "ops":
            arguments = [f"{key}={self.code(value)}" for key, value in step.call.args.items() if key != "subscripts"]
            first = [self.code(step.call.args["subscripts"])] if "subscripts" in step.call.args else []
            return [_line(f"{name} = {self.path(step.call)}", [*first, *given, *arguments], names.listed(step.name))]
        if step.layer != step.name:
            return [_line(f"{name} = {names.layer(step.layer)}", given, names.listed(step.name))]
        last = any(ref.step == step.name for ref in plan.outputs.values())
        call = self._learned(step, last and precision.startswith("mixed"))
        made = [*self.arguments(call), f"name={_text(step.name)}"]
        if not (names.kept(step.name) or step.nodes or step.trainable is not None):
            return [_line(f"{name} = {self.path(call)}", made, names.listed(step.name), given)]
        layer = names.layer(step.name)
        lines = [_line(f"{layer} = {self.path(call)}", made)]
        if step.nodes:
            ends = [f"{layer}.output", *(f"{layer}.get_layer({_text(inner)}).output" for inner in step.nodes.values())]
            whole = [f"{layer}.input", f"[{', '.join(ends)}]", f"name={_text(step.name)}"]
            lines.append(_line(f"{layer} = keras.Model", whole))
        if isinstance(step.trainable, tuple):
            inside = [inner.name for inner in getattr(self.model.get_layer(step.name), "layers", ())]
            learn = [inner for inner in inside if any(fnmatchcase(inner, one) for one in step.trainable)]  # pyright: ignore
            lines += [f"{_INDENT}for inner in {layer}.layers:"]
            lines += [f"{_INDENT * 2}inner.trainable = inner.name in {json.dumps(learn)}"]
        lines.append(_line(f"{name} = {layer}", given, names.listed(step.name)))
        return [*lines, *([f"{_INDENT}{layer}.trainable = False"] if step.trainable is False else [])]

    def _learned(self, step: Step, whole: bool) -> Call:
        """The call with what the layer learned that is no weight; an application without weights to download."""
        more: dict[str, Any] = {"dtype": "float32"} if whole and "dtype" not in step.call.args else {}
        layer: Any = next((one for one in self.model.layers if one.name == step.name), None)
        if step.call.namespace == "applications":
            shape = layer.input_shape if layer is not None else None
            return replace(step.call, args={**step.call.args, "weights": None, **_sized(step.call, shape)})
        if hasattr(layer, "bin_boundaries") and "bin_boundaries" not in step.call.args:
            more["bin_boundaries"] = [float(edge) for edge in layer.bin_boundaries]
        drop = {"num_bins", "epsilon"} if "bin_boundaries" in more else set()
        return replace(step.call, args={**{k: v for k, v in step.call.args.items() if k not in drop}, **more})

    def arguments(self, call: Call) -> list[str]:
        """Of a call, as they are written; the first by its place."""
        first = next(iter(inspect.signature(objects.find(call)).parameters), None)
        given = objects.suited(call)
        return [self.code(v) if k == first == next(iter(given)) else f"{k}={self.code(v)}" for k, v in given.items()]

    def path(self, call: Call) -> str:
        """Where a name is published; it is imported."""
        name = f"{call.name}Oracle" if call.namespace == "oracles" else call.name
        for package in NAMESPACES.get(call.namespace, ()):
            if hasattr(importlib.import_module(package), name):
                if not package.startswith("keras."):
                    self.imports.add(f"import {package}")
                return f"{package}.{name}"
        file = inspect.getsourcefile(used()[name])
        self.imports.add(f"from {Path(str(file)).stem} import {name}")
        return name

    def code(self, value: object, names: "Names | None" = None) -> str:
        """A value as Python writes it."""
        match value:
            case Ref():
                assert names is not None
                return names.ref(value)
            case Call(namespace="identifier"):
                return _text(value.name)
            case Call(namespace="ops" | "activations"):
                return self.path(value)
            case Call():
                return f"{self.path(value)}({', '.join(self.arguments(value))})"
            case Nested(plan=Plan() as plan):
                name = f"part_{len(self.functions) + 1}"
                self.functions.append("")  # its place, before those inside it take theirs
                at = len(self.functions) - 1
                self.functions[at] = self.function(name, plan, "A model inside the network.")
                return f"{name}()"
            case str():
                return _text(value)
            case float() if not math.isfinite(value):
                return f"float({_text(str(value))})"
            case list():
                return f"[{', '.join(self.code(item, names) for item in value)}]"
            case tuple():
                return f"({', '.join(self.code(item, names) for item in value)}{',' if len(value) == 1 else ''})"
            case dict():
                return f"{{{', '.join(f'{self.code(k)}: {self.code(v, names)}' for k, v in value.items())}}}"
        return repr(value)


class Names:
    """The variables of a function: one for each tensor or list of tensors, and for layers that are named again."""

    def __init__(self, plan: Plan, layers: Mapping[str, Any]):
        self._names: dict[str, str] = {}
        for name in (*(given.name for given in plan.inputs), *(step.name for step in plan.steps)):
            self._names[name] = self._free(name)
        self._again = {step.layer for step in plan.steps if step.layer != step.name}
        refs = [ref for step in plan.steps for value in (*step.args, *step.kwargs.values()) for ref in _refs(value)]
        later = {ref.step for ref in (*refs, *plan.outputs.values()) if ref.index}
        self._several = later | {step.name for step in plan.steps if _gives_several(step, layers.get(step.name))}

    def __getitem__(self, name: str) -> str:
        return self._names[name]

    def ref(self, ref: Ref) -> str:
        """A tensor."""
        return f"{self[ref.step]}[{ref.index}]" if ref.step in self._several else self[ref.step]

    def layer(self, name: str) -> str:
        """A layer that has a variable of its own."""
        return f"{self[name]}_layer"

    def kept(self, name: str) -> bool:
        """Whether a layer is applied again."""
        return name in self._again

    def listed(self, name: str) -> bool:
        """Whether a step gives several tensors, or may do so."""
        return name in self._several

    def _free(self, name: str) -> str:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = f"_{plain}" if plain[:1].isdigit() else plain
        plain += "_" if keyword.iskeyword(plain) or hasattr(builtins, plain) or plain in ("keras", "kbuild") else ""
        count, found = 1, plain
        while found in self._names.values():
            count += 1
            found = f"{plain}_{count}"
        return found


def _gives_several(step: Step, layer: Any) -> bool:
    """Whether a step gives several tensors, or may do so."""
    if step.shapes is not None:
        return len(step.shapes) != 1
    return layer is None or isinstance(layer.output, list | tuple | dict)


def _refs(value: object) -> list[Ref]:
    if isinstance(value, Ref):
        return [value]
    return [ref for item in value for ref in _refs(item)] if isinstance(value, list | tuple) else []


def _line(head: str, arguments: Sequence[str], listed: bool = False, then: Sequence[str] | None = None) -> str:
    """A statement, `head(arguments)(then)`; what is long has a line for each argument."""
    target, _, function = head.partition(" = ")
    if listed:
        head, end = f"{target} = keras.tree.flatten({function}", ")"
    else:
        end = ""
    end = ("" if then is None else f"({', '.join(then)})") + end
    line = f"{_INDENT}{head}({', '.join(arguments)}){end}"
    if len(line) <= WIDTH or not arguments:
        return line
    inside = "".join(f"{_INDENT * 2}{argument},\n" for argument in arguments)
    return f"{_INDENT}{head}(\n{inside}{_INDENT}){end}"


def _one_or_all(values: Mapping[str, str]) -> str:
    if len(values) == 1:
        return next(iter(values.values()))
    return f"{{{', '.join(f'{_text(key)}: {value}' for key, value in values.items())}}}"


def _sized(call: Call, shape: Any) -> dict[str, Any]:
    return {} if shape is None or "input_shape" in call.args else {"input_shape": list(shape[1:])}


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
