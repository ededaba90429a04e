"""ls and cp: the specs that kbuild ships."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from kbuild.cli.options import Debug, Json, Quiet

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `kbuild ls` prints it.")]
Destination = Annotated[Path, typer.Argument(metavar="DEST", help="A folder, or the new file.")]


def ls(as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """List the specs that kbuild ships."""
    from kbuild.cli.output import say, say_json, show_table
    from kbuild.spec.shipped import shipped_dir, shipped_names

    found = [(name, _about(shipped_dir() / f"{name}.yaml")) for name in shipped_names()]
    if as_json:
        say_json([{"name": name, "about": about} for name, about in found])
        return
    show_table(["name", "what it shows"], found)
    if not quiet:
        say("\nkbuild cp NAME copies one; kbuild fit kbuild:NAME trains it as it is.")
        say("kbuild new --data SOURCE starts one for data of yours.")


def cp(name: Name, dest: Destination = Path(), quiet: Quiet = False, debug: Debug = False) -> None:
    """Copy a shipped spec, and what it needs."""
    from kbuild.cli.output import say
    from kbuild.spec.load import load
    from kbuild.spec.shipped import SCHEMA, shipped_dir

    name = name.removeprefix("kbuild:").removesuffix(".yaml")
    spec = load(f"kbuild:{name}")
    home = shipped_dir()
    target = dest / f"{name}.yaml" if dest.is_dir() or dest.suffix not in {".yaml", ".yml"} else dest
    copies = {home / f"{name}.yaml": target}
    for file in (*(source.path for source in spec.sources), *_data(spec)):
        if file is not None and file.is_file() and file.is_relative_to(home):
            copies.setdefault(file, target.parent / file.relative_to(home))
    for source, copy in copies.items():
        if copy.exists() and copy.read_bytes() != source.read_bytes():
            raise typer.BadParameter(f"{copy} is there already and is something else; give another DEST")
    for source, copy in copies.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
        if not quiet:
            say(str(copy))
    schema = target.parent / SCHEMA
    if not quiet and not schema.exists():
        say(f"kbuild schema --out {schema} lets your editor complete and underline")


def _about(path: Path) -> str:
    """The first sentence after the empty line in the comment that a shipped spec opens with."""
    comment: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# ").rstrip())
    body = " ".join(line for line in comment[comment.index("") :] if line)
    sentence, stop, _ = body.partition(". ")
    return sentence + stop.strip() if stop else body


def _data(spec: object) -> list[Path]:
    source = getattr(getattr(spec, "data", None), "source", None)
    return [value for value in vars(source).values() if isinstance(value, Path)] if source is not None else []
