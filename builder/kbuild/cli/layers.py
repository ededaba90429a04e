"""layers: what can be called in a spec, with its arguments."""

from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from kbuild.spec.signature import Signature
    from kbuild.spec.spec import Block

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="A layer, optimizer, loss, … or a block.")]


def layers(name: Name = None, as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """List what a spec can call, or show one call's arguments."""
    if name is None:
        _all(as_json)
    else:
        _one(name, as_json)


def _all(as_json: bool) -> None:
    from kbuild.cli.output import say, say_json
    from kbuild.spec.block import library
    from kbuild.spec.signature import NAMESPACES, names, signature

    found: dict[str, list[str]] = {"blocks": sorted(library())}
    for namespace in NAMESPACES:
        calls = [(name, signature(namespace, name)) for name in names(namespace)]
        found[namespace] = [name for name, known in calls if known is not None and not known.abstract]
    if as_json:
        say_json(found)
        return
    for namespace, calls in found.items():
        say(f"{namespace} ({len(calls)})")
        say(_filled(calls))
        say()
    say("kbuild layers NAME shows one with its arguments.")


def _one(name: str, as_json: bool) -> None:
    from kbuild.cli.output import say, say_json
    from kbuild.spec.block import library
    from kbuild.spec.signature import NAMESPACES, signature

    short = name.removeprefix("ops.")
    spaces = ("ops",) if short != name else NAMESPACES
    found = [known for space in spaces if (known := signature(space, short)) is not None]
    block = library().get(name)
    if not found and block is None:
        raise _unknown(name)
    if as_json:
        say_json([*([_block_json(block)] if block else []), *(_json(known) for known in found)])
        return
    if block:
        _show_block(block)
    for index, known in enumerate(found):
        if index:
            say()
        _show(known)


def _unknown(name: str) -> Exception:
    from kbuild.spec.block import library
    from kbuild.spec.names import suggestion
    from kbuild.spec.signature import NAMESPACES, names
    from kbuild.text.problem import Problem, SpecError

    everything = {word for space in NAMESPACES for word in names(space)} | set(library())
    help = suggestion(name, everything, "`kbuild layers` lists all")
    return SpecError(Problem("K102", f"there is no layer, other object or block `{name}`", help=help))


def _show(known: "Signature") -> None:
    from kbuild.cli.output import say, show_table

    say(f"{known.namespace}: {'ops.' if known.namespace == 'ops' else ''}{known.name}")
    if known.doc:
        say(known.doc)
    if known.abstract:
        say("Abstract: it serves to derive from and cannot be called in a spec.")
    if known.parameters:
        say()
        show_table(
            ["argument", "default", "what it is"],
            [
                [p.name, "required" if p.required else _written(p.default), known.documented.get(p.name, "")]
                for p in known.parameters
            ],
        )
    if known.rest:
        say(f"and any number of further values (`{known.rest}`)")
    if known.open:
        say("and arguments that only the object itself knows")


def _show_block(block: "Block") -> None:
    from kbuild.cli.output import say, show_table
    from kbuild.text.node import plain

    say(f"block: {block.name}")
    say(f"written in {block.span.source.path or block.span.source.name}")
    say()
    rows = [[name, "required" if node is None else _written(plain(node))] for name, node in block.params.items()]
    show_table(["parameter", "default"], rows)


def _json(known: "Signature") -> dict[str, object]:
    return {
        "name": known.name,
        "namespace": known.namespace,
        "about": known.doc,
        "arguments": [
            {
                "name": p.name,
                "required": p.required,
                "default": None if p.required else _plain(p.default),
                "about": known.documented.get(p.name, ""),
            }
            for p in known.parameters
        ],
    }


def _block_json(block: "Block") -> dict[str, object]:
    from kbuild.text.node import plain

    return {
        "name": block.name,
        "namespace": "blocks",
        "about": "",
        "arguments": [
            {"name": name, "required": node is None, "default": None if node is None else plain(node), "about": ""}
            for name, node in block.params.items()
        ],
    }


def _plain(value: object) -> object:
    """A default for JSON; what JSON has no value for becomes its text."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value not in (float("inf"), float("-inf")) and value == value:
        return value
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _written(value: object) -> str:
    """As a spec would write it: `null`, `true`, `[2, 2]`."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(item) for item in value)}]"
    return str(value) or '""'


def _filled(words: list[str]) -> str:
    import shutil
    import textwrap

    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    return textwrap.fill(" ".join(words), width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
