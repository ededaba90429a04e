"""Word → Guess. Raises SpecError, K4xx."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbuild.data.fail import fail
from kbuild.data.header import Features, Header
from kbuild.data.named import BUILT_IN, PUBLIC
from kbuild.spec.data import Data, Named, SourceSection
from kbuild.text.problem import SpecError

Written = str | dict[str, object]
"""A source as a spec writes it; its paths are still absolute `Path`s."""
FILES = (".npz", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True, slots=True)
class Center:
    """Mean and standard deviation of the numbers to predict."""

    mean: float
    spread: float


@dataclass(frozen=True, slots=True)
class Guess:
    """Data that somebody named in a word.

    Args:
        name: for the spec.
        section, source: what they are, and the same as a spec writes it.
        header: with the task of each target, as far as looking into the labels tells.
        root: the folder that its paths lie in; None for a set by name.
        words: size of the vocabulary, where the input is the numbers of words.
        center: of the numbers to predict, if there is one target and it was read.
        notes: what was decided for the user, in sentences.
        input: the name that the model's input must have; None if any will do.
    """

    name: str
    section: SourceSection
    source: Written
    header: Header
    root: Path | None = None
    words: int | None = None
    center: Center | None = None
    notes: tuple[str, ...] = ()
    input: str | None = None


def guess(word: str, target: str | None = None) -> Guess:
    """Which data a word means.

    Args:
        word: a name, or the path of a file or folder.
        target: the column to predict, for a table; None is the last one.

    Raises:
        SpecError: K401 for a word that means nothing, K410 for arrays that cannot be told apart, K420 for a column that
            is not there, K431 for a folder that holds neither pictures nor texts, and what reading finds.
    """
    path = Path(word).expanduser()
    if word in {*BUILT_IN, *PUBLIC}:
        return _named(word)
    if not path.exists():
        raise _nothing(word)
    path = path.absolute()
    if path.is_dir():
        from kbuild.data.guess import parts

        return parts.guess(path)
    match path.suffix.lower():
        case ".npz":
            from kbuild.data.guess import arrays

            return arrays.guess(path)
        case ".csv" | ".tsv" | ".parquet":
            from kbuild.data.guess import columns

            return columns.guess(path, target)
    raise fail(
        "K401", f"`{word}` is no file that kbuild reads", f"save the data as {', '.join(FILES[:-1])} or {FILES[-1]}"
    )


def spec_name(path: Path) -> str:
    """A file's name as the name of a spec."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", path.stem).strip("._-")[:64] or "spec"


def center(values: "list[float]") -> Center | None:
    """Mean and standard deviation; None of numbers that are all the same."""
    mean = sum(values) / len(values)
    spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    return Center(mean, spread) if spread > 0 else None


def _named(word: str) -> Guess:
    from kbuild.data.named import WORDS, header, progress

    section = Named(name=word)
    words = WORDS if word in {"imdb", "reuters"} else None
    notes = ("Keras downloads it when it is first read",) if word in PUBLIC else ()
    middle = center(progress()) if word == "diabetes" else None
    return Guess(word, section, word, header(word), words=words, center=middle, notes=notes)


def _nothing(word: str) -> SpecError:
    from kbuild.spec.names import nearest

    names = (*BUILT_IN, *PUBLIC)
    close = nearest(word, names) if re.fullmatch(r"\w+", word) else None
    listed = ", ".join(names)
    kinds = "an npz, csv or parquet file, or a folder with a folder of pictures or texts for each class"
    help = f"did you mean `{close}`?" if close else f"name one of {listed}; or {kinds}"
    return fail("K401", f"there is no data set, file or folder `{word}`", help)


def peeked(section: SourceSection, features: Features | None = None) -> Header:
    """What the header of a source tells; `features` are inputs that the model will declare."""
    from kbuild.data.peek import peek

    return peek(Data(source=section), features=features)


def usual(words: Sequence[int]) -> int:
    """A length that nine of ten texts have at most, in tens, within reason."""
    long = sorted(words)[int(0.9 * (len(words) - 1))]
    return min(500, max(10, -(-long // 10) * 10))


def relative(source: Written, start: Path) -> Written:
    """A source with its paths as they are written in a spec that starts at a folder."""
    if isinstance(source, str):
        return source

    def walk(value: object) -> object:
        if isinstance(value, Path):
            return value.relative_to(start).as_posix() if value.is_relative_to(start) else value.as_posix()
        return {key: walk(item) for key, item in value.items()} if isinstance(value, Mapping) else value

    return {key: walk(item) for key, item in source.items()}
