"""layers: what can be called in a spec, with its arguments and an example."""

from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from kbuild.plan.example import Example
    from kbuild.spec.signature import Signature
    from kbuild.spec.spec import Block

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="A layer, optimizer, loss, … or a block.")]


def layers(name: Name = None, as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """List what a spec can call, or show one with an example."""
    if name is None:
        _all(as_json)
    else:
        _one(name, as_json)


def _all(as_json: bool) -> None:
    from kbuild.cli.output import say, say_json
    from kbuild.spec.allow import may_stand
    from kbuild.spec.block import library
    from kbuild.spec.signature import NAMESPACES, names, signature

    found: dict[str, list[str]] = {"blocks": sorted(library())}
    refused: list[str] = []
    for namespace in NAMESPACES:
        calls = [known for name in names(namespace) if (known := signature(namespace, name)) is not None]
        found[namespace] = [known.name for known in calls if may_stand(known)]
        refused += [_called(known) for known in calls if may_stand(known, trust=True) and not may_stand(known)]
    if as_json:
        say_json(found)
        return
    for namespace, calls in {**found, "refused without --trust": refused}.items():
        say(f"{namespace} ({len(calls)})")
        say(_filled(" ".join(calls), "  "))
        say()
    say("kbuild layers NAME shows one with its arguments and an example.")


def _one(name: str, as_json: bool) -> None:
    from kbuild.cli.output import say, say_json
    from kbuild.plan.example import block_example, example
    from kbuild.spec.block import library
    from kbuild.spec.signature import NAMESPACES, signature

    short = name.removeprefix("ops.")
    spaces = ("ops",) if short != name else NAMESPACES
    found = [known for space in spaces if (known := signature(space, short)) is not None]
    block = library().get(name)
    if not found and block is None:
        raise _unknown(name)
    if as_json:
        shown = [_block_json(block, block_example(block))] if block else []
        say_json([*shown, *(_json(known, example(known)) for known in found)])
        return
    if block:
        _show_block(block, block_example(block))
    for index, known in enumerate(found):
        if index or block:
            say()
        _show(known, example(known))


def _unknown(name: str) -> Exception:
    from kbuild.spec.block import library
    from kbuild.spec.names import suggestion
    from kbuild.spec.signature import NAMESPACES, names
    from kbuild.text.problem import Problem, SpecError

    everything = {word for space in NAMESPACES for word in names(space)} | set(library())
    everything |= {f"ops.{word}" for word in names("ops")} if name.startswith("ops.") else set()
    help = suggestion(name, everything, "`kbuild layers` lists all")
    return SpecError(Problem("K102", f"there is no layer, other object or block `{name}`", help=help))


def _show(known: "Signature", shown: "Example | None") -> None:
    from kbuild.cli.output import say, show_table

    say(f"{known.namespace}: {_called(known)}")
    if known.doc:
        say(_filled(known.doc))
    if why := _why_not(known):
        say(_filled(why))
    _show_example(shown)
    parameters = _written_under(known)
    if parameters:
        say()
        rows = [[p.name, _default(p.required, p.default), known.documented.get(p.name, "")] for p in parameters]
        show_table(["argument", "default", "what it is"], rows)
    if known.rest:
        say(f"and any number of further values (`{known.rest}`)")
    if known.open:
        say("and arguments that only the object itself knows")
    if known.call:
        say()
        inputs = ", ".join(p.name if p.required else f"{p.name}: {_written(p.default)}" for p in known.call)
        say(_filled(f"at call time, by `from` and `call` beside it: {inputs}"))


def _show_block(block: "Block", shown: "Example | None") -> None:
    from kbuild.cli.output import say, show_table
    from kbuild.spec.block import head_comment
    from kbuild.text.node import plain

    say(f"block: {block.name}")
    say(_filled(head_comment(block)))
    _show_example(shown)
    say()
    rows = [[name, _default(node is None, node and plain(node))] for name, node in block.params.items()]
    show_table(["parameter", "default"], rows)
    say()
    say(f"written in {block.span.source.path or block.span.source.name}")


def _show_example(shown: "Example | None") -> None:
    from kbuild.cli.output import say

    if shown is None:
        return
    named = len(shown.inputs) > 1
    given = ", ".join(f"{name} {_sizes(shape)}" if named else _sizes(shape) for name, shape in shown.inputs.items())
    say()
    say(f"example, {given} → {_sizes(shown.output)}:" if given else "example:")
    say("\n".join(f"  {line}" for line in shown.text.splitlines()))


def _sizes(shape: "tuple[int | None, ...] | None") -> str:
    if shape is None:
        return "?"
    return "×".join("?" if size is None else str(size) for size in shape) or "a number"


def _why_not(known: "Signature") -> str:
    """Why it cannot be called, or not by all."""
    from kbuild.spec import allow

    if known.abstract:
        return "Abstract: it serves to derive from and cannot be called in a spec."
    if known.namespace == "layers" and known.name in allow.NO_ENTRY:
        return "No entry: inputs are declared under `model.inputs`."
    instead = allow.INSTEAD.get((known.namespace, known.name))
    if instead:
        return f"Not for a spec: {instead}."
    why = None if known.namespace == "activations" else allow.reason(known)
    return f"Refused without --trust: {why}." if why else ""


def _called(known: "Signature") -> str:
    from kbuild.spec.argument import label

    return label(known)


def _written_under(known: "Signature") -> list:
    """The arguments that a spec writes under the call: `name` stands beside it."""
    beside = {"name"} if known.namespace in {"layers", "applications"} else set()
    tensors = {"x"} if known.namespace == "activations" else set()
    return [parameter for parameter in known.parameters if parameter.name not in beside | tensors]


def _json(known: "Signature", shown: "Example | None") -> dict[str, object]:
    return {
        "name": known.name,
        "namespace": known.namespace,
        "about": known.doc,
        "refused": _why_not(known) or None,
        "arguments": [
            {
                "name": p.name,
                "required": p.required,
                "default": None if p.required else _plain(p.default),
                "about": known.documented.get(p.name, ""),
            }
            for p in _written_under(known)
        ],
        "call": [
            {"name": p.name, "required": p.required, "default": None if p.required else _plain(p.default)}
            for p in known.call
        ],
        **_example_json(shown),
    }


def _block_json(block: "Block", shown: "Example | None") -> dict[str, object]:
    from kbuild.spec.block import head_comment
    from kbuild.text.node import plain

    return {
        "name": block.name,
        "namespace": "blocks",
        "about": head_comment(block),
        "refused": None,
        "arguments": [
            {"name": name, "required": node is None, "default": None if node is None else plain(node), "about": ""}
            for name, node in block.params.items()
        ],
        "call": [],
        **_example_json(shown),
    }


def _example_json(shown: "Example | None") -> dict[str, object]:
    """`example` as a spec writes it, `inputs` the shapes it was tried with, `output` the shape that came out."""
    if shown is None:
        return {"example": None, "inputs": {}, "output": None}
    inputs = {name: list(shape) for name, shape in shown.inputs.items()}
    output = list(shown.output) if inputs and shown.output is not None else None
    return {"example": shown.text, "inputs": inputs, "output": output}


def _plain(value: object) -> object:
    """A default for JSON; what JSON has no value for becomes its text."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value not in (float("inf"), float("-inf")) and value == value:
        return value
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _default(required: bool, value: object) -> str:
    return "required" if required else _written(value)


def _written(value: object) -> str:
    """As a spec would write it: `null`, `true`, `[2, 2]`."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(item) for item in value)}]"
    return str(value) or '""'


def _filled(text: str, indent: str = "") -> str:
    import shutil
    import textwrap

    width = min(shutil.get_terminal_size((120, 24)).columns, 120)
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
