"""The `data` section: where examples come from, how they are split, and what is done to them before the model."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, Strict

from kbuild.spec.section import Section


class Named(Section):
    """A set by name: scikit-learn's (`digits`, `iris`, …) or one of `keras.datasets` (`mnist`, …)."""

    kind: Literal["named"] = "named"
    name: str


class NpzPart(Section):
    """Keys of arrays in the npz file: one, or several by the name of the model's input or output."""

    x: str | dict[str, str]
    y: str | dict[str, str] | None = None
    weights: str | None = None


class Npz(Section):
    """Arrays in one npz file."""

    kind: Literal["npz"] = "npz"
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
    """Parts of the data kept from training, each a fraction in (0, 1) or a number of examples ≥ 1."""

    validation: Annotated[float | int, Field(ge=0)] = 0.1
    test: Annotated[float | int, Field(ge=0)] = 0.1
    stratify: bool | Literal["auto"] = "auto"
    shuffle: bool = True


class Data(Section):
    """The `data` section, checked. All paths are absolute and were found to lie where they may.

    `preprocess` and `augment` are chains and stay in the tree (`Spec.preprocess`, `Spec.augment`).
    """

    source: SourceSection
    target: Literal["labels", "input"] = "labels"
    split: Split = Split()
    batch_size: Annotated[int, Field(ge=1)] = 32
    classes: Annotated[tuple[str, ...], Strict(False)] | None = None
