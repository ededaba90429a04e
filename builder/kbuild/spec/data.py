"""The `data` section: where examples come from, how they are split, and what is done to them before the model."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema

from kbuild.spec.section import Section
from kbuild.spec.train import amount


def _held(value: object) -> bool | int | Literal["auto"]:
    """`auto`, `true`, `false`, or an amount of memory as bytes."""
    if isinstance(value, bool):
        return value
    if value == "auto":
        return "auto"
    try:
        return amount(str(value))
    except ValueError:
        raise ValueError(
            f"`{str(value)[:60]}` is no amount of memory; write `auto`, `true`, `false`, or an amount such as `2 GB`"
        ) from None


_HELD = {
    "type": ["boolean", "number", "string"],
    "minimum": 1,
    "pattern": r"^\s*(auto|[0-9.]+([eE][+-]?[0-9]+)?\s*([kKmMgGtTpP][iI]?)?[bB]?)\s*$",
}
InMemory = Annotated[bool | int | Literal["auto"], BeforeValidator(_held), WithJsonSchema(_HELD)]
"""Whether examples are held in memory, or up to how many bytes of them. After validation a bool, `auto` or bytes."""


class Named(Section):
    """A set by name: scikit-learn's (`digits`, `iris`, …) or one of `keras.datasets` (`mnist`, …)."""

    kind: Literal["named"] = "named"
    name: str


class NpzPart(Section):
    """Keys of arrays: one, or several by the name of the model's input or output."""

    x: str | dict[str, str]
    y: str | dict[str, str] | None = None
    weights: str | None = None


class Npz(Section):
    """Arrays in one npz file, or in a folder of npy files."""

    kind: Literal["npz", "npy"] = "npz"
    npz: Path
    x: str | dict[str, str] = "x"
    y: str | dict[str, str] | None = None
    weights: str | None = None
    validation: NpzPart | None = None
    test: NpzPart | None = None


class Csv(Section):
    """Rows of a csv (or parquet) file with a header line."""

    kind: Literal["csv", "parquet"] = "csv"
    csv: Path
    target: str | list[str] | None = None
    features: dict[str, Literal["numeric", "category", "text"]] | None = None
    test: Path | None = None
    delimiter: str = ","


class Images(Section):
    """A folder for each class, full of pictures; or such a folder for each part."""

    kind: Literal["images"] = "images"
    train: Path
    validation: Path | None = None
    test: Path | None = None
    size: Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], Strict(False)] | None = None
    color: Literal["rgb", "grayscale"] = "rgb"


class Texts(Section):
    """A folder for each class, full of text files."""

    kind: Literal["text"] = "text"
    text: Path
    length: Annotated[int, Field(ge=1)] = 200
    vocabulary: Annotated[int, Field(ge=3)] = 20000


class Python(Section):
    """`module:function`, called without arguments; only with --trust.

    Returns what `Dataset` takes: see the reference.
    """

    kind: Literal["python"] = "python"
    python: str


SourceSection = Named | Npz | Csv | Images | Texts | Python


class Split(Section):
    """Parts of the data kept from training, each a fraction in (0, 1) or a number of examples ≥ 1.

    With `folds` the validation part is one of so many equal parts of what is not kept for the test: the `fold`-th. A
    spec without `fold` stands for all of them, and wherever one is needed for the first.
    """

    validation: Annotated[float | int, Field(ge=0)] = 0.1
    test: Annotated[float | int, Field(ge=0)] = 0.1
    stratify: bool | Literal["auto"] = "auto"
    shuffle: bool = True
    folds: Annotated[int, Field(ge=2, le=1000)] | None = None
    fold: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class Data(Section):
    """The `data` section, checked. All paths are absolute and were found to lie where they may.

    `preprocess` and `augment` are chains and stay in the tree (`Spec.preprocess`, `Spec.augment`).
    """

    source: SourceSection
    target: Literal["labels", "input"] = "labels"
    split: Split = Split()
    batch_size: Annotated[int, Field(ge=1)] = 32
    classes: Annotated[tuple[str, ...], Strict(False)] | None = None
    in_memory: InMemory = "auto"
