"""Text → Node. YAML or JSON, in UTF-8, within limits; every mistake of the text is one of these codes:

K001 a file that cannot be read         K009 a tag, `!!str`
K002 not UTF-8, a forbidden character   K010 a duplicate key
K003 larger than 1 MiB                  K011 a key that is no string
K004 no YAML, no JSON                   K012 a merge key, `<<`
K005 empty                              K013 a number that readers disagree on: `017`, `0x1F`, `1_000`
K006 a second document                  K014 a number that is infinite, too large or too small
K007 more than 64 levels deep           K015 an alias without an anchor, or inside its own
K008 more than 200,000 values           K016 no space after a colon: `{units:32}`
"""

import difflib
import re
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from kbuild.text.json_events import json_events, looks_like_json
from kbuild.text.lines import lines
from kbuild.text.node import Node
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Source
from kbuild.text.tree import DEPTH, tree
from kbuild.text.yaml_events import yaml_events

SIZE = 2**20

_BOM = "\ufeff"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SUFFIXES = (".yaml", ".yml", ".json")


def read(source: Source) -> Node:
    """The value that a text spells out, every part of which knows where it stands.

    A text is JSON if its file is called so or if it is a valid JSON value in brackets, else YAML 1.2, core schema.

    Raises:
        SpecError: all mistakes of the text, with their places. The codes are in this module's docstring.
    """
    if source.text.startswith(_BOM):
        source = replace(source, text=source.text[1:])
    _check_characters(source)
    if _is_json(source):
        node = tree(source, json_events(source, DEPTH)) if source.text.strip() else None
    else:
        node = tree(source, yaml_events(source))
    if node is None:
        advice = "a spec begins with `kbuild: 1`; `kbuild new` writes one"
        raise SpecError(Problem("K005", f"`{source.name}` is empty", lines(source).span(0, 0), help=advice))
    return node


def read_file(path: Path, name: str | None = None) -> Node:
    """The value in a file, as `read` gives it.

    Args:
        name: what the user called the file; default: the path.

    Raises:
        SpecError: as `read`; K001 if the file cannot be read, K002 if it is not UTF-8, K003 if it is too large.
    """
    name = str(path) if name is None else name
    data = _bytes(path, name)
    if len(data) > SIZE:
        _too_large(name)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        source = Source(name, data.decode(errors="replace"), path)
        start = len(data[: error.start].decode())
        hint = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else f"byte 0x{data[error.start]:02x}"
        span = lines(source).span(start, start + 1)
        advice = "save it as UTF-8"
        raise SpecError(Problem("K002", f"`{name}` is not UTF-8 text: {hint}", span, help=advice)) from None
    return read(Source(name, text, path))


def _is_json(source: Source) -> bool:
    if source.path is not None and source.path.suffix.lower() == ".json":
        return True
    return looks_like_json(source.text, DEPTH)


def _check_characters(source: Source) -> None:
    if len(source.text) > SIZE or len(source.text.encode(errors="surrogatepass")) > SIZE:
        _too_large(source.name)
    if found := _FORBIDDEN.search(source.text):
        span = lines(source).span(*found.span())
        advice = r'remove it, or write it as an escape in double quotes: `"\x1b"`'
        raise SpecError(Problem("K002", f"the character U+{ord(found[0]):04X} is not allowed", span, help=advice))


def _too_large(name: str) -> NoReturn:
    advice = "a spec is small: use blocks, `repeat` and `extends`; data belongs into files of its own"
    raise SpecError(Problem("K003", f"`{name}` is larger than {SIZE:,} bytes", help=advice))


def _bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SIZE + 1)
    except FileNotFoundError:
        raise SpecError(Problem("K001", f"there is no file `{name}`", help=_near(path))) from None
    except IsADirectoryError:
        raise SpecError(Problem("K001", f"`{name}` is a directory", help="name a file in it")) from None
    except PermissionError:
        advice = "name a file, and make it readable for you"
        raise SpecError(Problem("K001", f"`{name}` may not be read", help=advice)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"`{name}` cannot be read: {reason}"
        raise SpecError(Problem("K001", message, help="check the path, or copy the file elsewhere")) from None


def _near(path: Path) -> str:
    try:
        names = [found.name for found in path.parent.iterdir() if found.suffix.lower() in _SUFFIXES]
    except OSError:
        return f"the folder `{path.parent}` does not exist: check the path"
    close = difflib.get_close_matches(path.name, names, n=1)
    return (
        f"did you mean `{path.parent / close[0]}`?" if close else "check the path; `kbuild ls` lists the shipped specs"
    )
