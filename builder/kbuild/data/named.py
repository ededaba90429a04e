"""Named → Header: what is known of the sets that have names, without reading, importing or downloading any of them."""

import gzip
import importlib.util
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kbuild.data.fail import fail, unknown
from kbuild.data.header import Header, Range, Seen, Target, Tensor

BUILT_IN = ("digits", "iris", "wine", "breast_cancer", "diabetes")
"""The sets that come with scikit-learn."""

_FILES = {"digits": "digits.csv.gz", "iris": "iris.csv", "wine": "wine_data.csv", "breast_cancer": "breast_cancer.csv"}


@dataclass(frozen=True, slots=True)
class Public:
    """A set of `keras.datasets`, as Keras documents it: what its arrays are, once downloaded.

    Args:
        classes: names, or their number, or None for a number to predict.
        train, test: examples.
    """

    shape: tuple[int, ...]
    dtype: str
    classes: tuple[str, ...] | int | None
    train: int
    test: int


LENGTH, WORDS = 200, 20000
"""Of texts in `imdb` and `reuters`: their last tokens, of the most frequent words."""

_FASHION = ("t_shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle_boot")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PUBLIC: Mapping[str, Public] = {
    "mnist": Public((28, 28), "uint8", 10, 60000, 10000),
    "fashion_mnist": Public((28, 28), "uint8", _FASHION, 60000, 10000),
    "cifar10": Public((32, 32, 3), "uint8", _CIFAR10, 50000, 10000),
    "cifar100": Public((32, 32, 3), "uint8", 100, 50000, 10000),
    "imdb": Public((LENGTH,), "int32", ("negative", "positive"), 25000, 25000),
    "reuters": Public((LENGTH,), "int32", 46, 8982, 2246),
    "boston_housing": Public((13,), "float32", None, 404, 102),
    "california_housing": Public((8,), "float32", None, 16512, 4128),
}


def header(name: str) -> Header:
    """Raises SpecError K401 for a name that is none."""
    if name in PUBLIC:
        return _public(PUBLIC[name])
    if name not in BUILT_IN:
        raise unknown("K401", f"there is no data set `{name}`", name, (*BUILT_IN, *PUBLIC))
    return _built_in(name, _sklearn(name))


def progress() -> list[float]:
    """What `diabetes` is to predict, from scikit-learn's file. Raises SpecError K406."""
    return [float(line) for line in _lines(_sklearn("diabetes") / "diabetes_target.csv.gz")]


def classes(known: Public) -> tuple[str, ...]:
    """Class names; for classes that have none, their numbers."""
    return tuple(str(i) for i in range(known.classes)) if isinstance(known.classes, int) else known.classes or ()


def _sklearn(name: str) -> Path:
    """The folder of scikit-learn's own files."""
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise fail(
            "K406", f"`{name}` comes with scikit-learn, which is not installed", "run `pip install scikit-learn`"
        )
    return Path(found.submodule_search_locations[0]) / "datasets" / "data"


def _public(known: Public) -> Header:
    names = classes(known)
    target = _classes(names) if names else Target((), "float32", "regression")
    counts = {"train": known.train, "test": known.test}
    # the numbers of words begin at 0, too
    high = {"uint8": 255, "int32": WORDS - 1}.get(known.dtype)
    seen = Seen() if high is None else Seen({"input": Range(0, high)})
    return Header({"input": Tensor(known.shape, known.dtype)}, {"output": target}, counts, seen=seen)


def _built_in(name: str, folder: Path) -> Header:
    """scikit-learn's own files tell, which are short: a line an example, its class at the end."""
    if name == "diabetes":
        found = [float(line) for line in _lines(folder / "diabetes_target.csv.gz")]
        seen = Seen(targets={"output": Range(min(found), max(found))})
        target = Target((), "float32", "regression")
        return Header({"input": Tensor((10,), "float32")}, {"output": target}, {"train": len(found)}, seen=seen)
    if name == "digits":
        # 1,797 lines take 3 ms, and nothing shorter says how many there are
        last = [line.rsplit(b",", 1)[1] for line in _lines(folder / _FILES[name])]
        target = _classes(tuple("0123456789"))
        seen = Seen({"input": Range(0, 16)}, sizes={"output": _sizes((int(float(label)) for label in last), 10)})
        return Header({"input": Tensor((8, 8, 1), "float32")}, {"output": target}, {"train": len(last)}, seen=seen)
    with (folder / _FILES[name]).open(encoding="utf-8") as file:
        count, width, *names = file.readline().strip().split(",")
        rows = [line.strip().split(",") for line in file]
    values = [float(cell) for *cells, _ in rows for cell in cells]
    sizes = _sizes((int(label) for *_, label in rows), len(names))
    seen = Seen({"input": Range(min(values), max(values))}, sizes={"output": sizes})
    target = _classes(tuple(names))
    return Header({"input": Tensor((int(width),), "float32")}, {"output": target}, {"train": int(count)}, seen=seen)


def _sizes(labels: Iterable[int], count: int) -> tuple[int, ...]:
    found = Counter(labels)
    return tuple(found[label] for label in range(count))


def _lines(path: Path) -> list[bytes]:
    with gzip.open(path) as file:
        return file.read().splitlines()


def _classes(names: tuple[str, ...]) -> Target:
    return Target((), "int32", "binary" if len(names) == 2 else "multiclass", names, len(names))
