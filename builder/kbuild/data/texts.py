"""Texts → Header or Loaded: a folder of text files for each class, as rows of integers for their words."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kbuild.data import encode, folders, tokens
from kbuild.data.dataset import Part
from kbuild.data.fail import fail, shown
from kbuild.data.header import Header, Seen, Target, Tensor
from kbuild.data.labels import classed
from kbuild.data.lazy import whole
from kbuild.data.loaded import Loaded
from kbuild.spec.data import Texts

_ENDINGS = (".txt", ".text", ".md")


def header(source: Texts) -> Header:
    """From the names of folders and files. Raises SpecError K402, K404, K405, K431."""
    sizes = folders.counts(source.text, _ENDINGS)
    return Header(
        {"input": Tensor((source.length,), "int32")},
        {"output": _target(tuple(folders.classes(source.text)))},
        {"train": sum(sizes.values()) if sizes else None},
        seen=Seen(sizes={"output": tuple(sizes.values())} if sizes else {}),
    )


def read(source: Texts) -> Loaded:
    """All texts; the vocabulary is that of the training part. Raises SpecError K402, K404, K405, K431."""
    found = folders.files(source.text, _ENDINGS)
    paths = [path for files in found.values() for path in files]
    labels = np.repeat(np.arange(len(found), dtype=np.int32), [len(files) for files in found.values()])
    texts = np.array([_text(path) for path in paths], object)
    ids = tuple(str(path.relative_to(source.text)) for path in paths)
    part = Part({"input": texts}, {"output": labels}, None, ids)

    def learn(train: Part) -> tuple[Mapping[str, object], encode.Apply]:
        encoding = {
            "kind": "text",
            "vocabulary": tokens.vocabulary(whole(train.x["input"]), source.vocabulary),
            "length": source.length,
        }
        return encoding, lambda part: {"input": encode.encode_texts(encoding, whole(part.x["input"]).tolist())}

    return Loaded({"train": part}, {"output": _target(tuple(found))}, learn=learn)


def _target(classes: tuple[str, ...]) -> Target:
    return Target((), "int32", classed(len(classes)), classes, len(classes))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise fail(
            "K404", f"`{shown(path)}` is not UTF-8 text: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from error
