"""new: a spec for each kind of source; it checks without a word, and trains."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

import kbuild as api
from kbuild.data.named import BUILT_IN, PUBLIC

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("KBUILD_SHARED", ROOT.parent / "shared" / "data"))
MNIST, CIFAR10 = SHARED / "mnist.npz", SHARED / "cifar10"
rng = np.random.default_rng(0)


def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.images.astype("uint8")[:200] * 15, found.target[:200]


def pictures(folder: Path) -> str:
    """A few pictures for each of three classes: of cifar10 where it is there, else digits."""
    import shutil

    from PIL import Image

    x, y = digits()
    for kind, name in enumerate(("airplane", "cat", "ship")):
        (folder / "photos" / name).mkdir(parents=True)
        real = sorted((CIFAR10 / "train" / name).glob("*"))[:16] if CIFAR10.is_dir() else []
        for path in real:
            shutil.copy(path, folder / "photos" / name)
        for i, picture in enumerate(x[y == kind][:16] if not real else ()):
            Image.fromarray(picture).save(folder / "photos" / name / f"{i}.png")
    return "photos"


def npz(folder: Path) -> str:
    """The first of MNIST where it is there, else digits, 8×8 bytes."""
    if MNIST.is_file():
        with np.load(MNIST) as found:
            x, y, x_test, y_test = (found[key][:300] for key in ("x_train", "y_train", "x_test", "y_test"))
    else:
        (x, y), (x_test, y_test) = digits(), digits()
    np.savez(folder / "pictures.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return "pictures.npz"


def table(folder: Path) -> str:
    rows = [f"{i},{20 + i % 37},{'ABC'[i % 3]},{1.5 + i % 11 / 10},{'yes' if i % 6 == 0 else 'no'}" for i in range(120)]
    (folder / "people.csv").write_text("\n".join(["id,age,city,height,sick", *rows]))
    return "people.csv"


def prices(folder: Path) -> str:
    rows = [f"{i % 37};{i * 7 % 11};{1000 + 13.5 * (i % 37)}" for i in range(120)]
    (folder / "prices.csv").write_text("\n".join(["rooms;age;price", *rows]))
    return "prices.csv"


def mails(folder: Path) -> str:
    rows = [f"a {'good' if i % 2 else 'bad'} mail of number {i},{i % 2}" for i in range(60)]
    (folder / "mails.csv").write_text("\n".join(["mail,spam", *rows]))
    return "mails.csv"


def texts(folder: Path) -> str:
    for kind in ("bad", "good"):
        (folder / "reviews" / kind).mkdir(parents=True)
        for i in range(20):
            (folder / "reviews" / kind / f"{i}.txt").write_text(f"a {kind} text, number {i} " * (i + 2), "utf-8")
    return "reviews"


def saved(**content):
    def write(folder: Path) -> str:
        np.savez(folder / "arrays.npz", **content)
        return "arrays.npz"

    return write


Y = np.arange(96) % 3
SOURCES = {
    **{name: lambda folder, name=name: name for name in BUILT_IN},
    "npz": npz, "csv": table, "regression": prices, "mails": mails, "images": pictures, "text": texts,
    "sequence": saved(x=rng.random((96, 20, 6), "float32"), y=Y),
    "volume": saved(x=rng.random((96, 8, 8, 8, 1), "float32"), y=Y % 2),
    "channels_first": saved(x=rng.integers(0, 255, (96, 3, 12, 12), dtype="uint8"), y=Y),
    "multilabel": saved(x=rng.random((96, 20)), y=(rng.random((96, 5)) > 0.6).astype(int)),
    "one_hot": saved(x=rng.random((96, 20)), y=np.eye(3)[Y]),
    "numbers": saved(x=rng.random((96, 10)), y=rng.random((96, 3))),
    "scalars": saved(x=rng.random(96), y=rng.random(96)),
    "integers": saved(x=rng.integers(0, 9, (96, 6)), y=np.array(["a", "b", "c"])[Y]),
}  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


SOON = {"iris", "diabetes", "npz", "csv", "images", "text", "mails"}
"""Kinds of sources that are trained with in the commit tier: an epoch of all takes a minute."""


@pytest.mark.parametrize("kind", SOURCES)
def test_it_checks_without_a_word(kind, kbuild, here):
    source = SOURCES[kind](here)
    done = kbuild("new", "--data", source, "made.yaml")
    assert (done.code, done.out, done.err) == (0, "made.yaml\n", "")
    checked = kbuild("check", "--hints", "made.yaml")
    assert (checked.code, checked.err) == (0, "")
    text = Path("made.yaml").read_text("utf-8")
    assert text.startswith("# kbuild fit made.yaml\n#\n# A start for `")
    assert f"`kbuild new --data {source}`" in " ".join(text.replace("\n# ", " ").split())
    assert max(map(len, text.split("\n"))) <= 120


@pytest.mark.parametrize(
    "kind", [kind if kind in SOON else pytest.param(kind, marks=pytest.mark.full) for kind in SOURCES]
)
def test_it_trains(kind, kbuild, here):
    assert kbuild("new", "--data", SOURCES[kind](here), "made.yaml").code == 0
    spec = api.load("made.yaml", overrides={"train.epochs": 1, "train.early_stopping": None})
    run = api.fit(spec, out=here / "run")
    assert np.isfinite(run.test["loss"])


@pytest.mark.parametrize("name", PUBLIC)
def test_what_keras_downloads_is_known_by_its_documentation(name, kbuild, here):
    assert kbuild("new", "--data", name, ".").out == f"{name}.yaml\n"
    checked = kbuild("check", "--hints", f"{name}.yaml")
    assert (checked.code, checked.err) == (0, "")
    assert "Keras downloads it when it is first read." in Path(f"{name}.yaml").read_text("utf-8")


def test_without_dest_it_is_printed(kbuild, here):
    done = kbuild("new", "--data", "iris")
    assert (done.code, done.err) == (0, "")
    assert list(here.iterdir()) == []
    assert api.load(done.out).name == "iris"
    assert done.out.startswith("# kbuild fit iris.yaml\n")


def test_residual_blocks_for_pictures(kbuild, here):
    assert kbuild("new", "--data", "digits", "--residual", "r.yaml").code == 0
    assert kbuild("check", "--hints", "r.yaml").err == ""
    assert "residual: {filters: $filters, stride: $stride}" in Path("r.yaml").read_text("utf-8")
    done = kbuild("new", "--data", "iris", "--residual")
    assert done.code == 3
    assert "residual blocks are for pictures" in done.err


def test_nothing_is_overwritten_without_force(kbuild, here):
    mine = here / "iris.yaml"
    mine.write_text("mine")
    done = kbuild("new", "--data", "iris", ".")
    assert done.code == 2
    assert "is there already; give another DEST, or --force" in " ".join(done.err.split())
    assert mine.read_text() == "mine"
    assert kbuild("new", "--data", "iris", ".", "--force").code == 0
    assert mine.read_text().startswith("# kbuild fit")


def test_data_outside_of_the_folder_need_a_root(kbuild, here):
    npz(here)
    done = kbuild("new", "--data", "pictures.npz", "specs/my.yaml")
    assert (done.code, done.out) == (0, f"specs{os.sep}my.yaml\n")
    text = Path("specs/my.yaml").read_text("utf-8")
    assert text.startswith("# kbuild fit specs/my.yaml --data-root .\n")
    assert "warning[K402]" in kbuild("check", "specs/my.yaml").err
    assert kbuild("check", "specs/my.yaml", "--data-root", ".").err == ""


def test_json(kbuild, here):
    found = json.loads(kbuild("new", "--data", "iris", "--json").out)
    assert (found["name"], found["params"]) == ("iris", 56)
    assert api.load(found["spec"]).name == "iris"
    assert json.loads(kbuild("new", "--data", "iris", ".", "--json").out)["spec"] == "iris.yaml"


def test_without_data_it_says_what_there_is(kbuild, here):
    done = kbuild("new")
    assert done.code == 1
    assert "error[K104]" in done.err
    assert all(name in done.err for name in (*BUILT_IN, *PUBLIC))
    done = kbuild("new", "--data", "digts")
    assert (done.code, done.out) == (3, "")
    assert "did you mean `digits`?" in done.err


def test_a_target_that_is_not_the_last(kbuild, here):
    table(here)
    done = kbuild("new", "--data", "people.csv", "--target", "age")
    assert done.code == 0
    assert re.search(r"target: age\b", done.out)
    assert "Rescaling: {scale: " in done.out
    assert "--target age`" in " ".join(done.out.replace("\n# ", " ").split())


def test_what_there_is_no_rule_for(kbuild, here):
    np.savez("back.npz", x=rng.random((20, 8, 8, 1)), y=rng.random((20, 8, 8, 1)))
    done = kbuild("new", "--data", "back.npz", "x.yaml")
    assert (done.code, Path("x.yaml").exists()) == (3, False)
    assert "no rule of thumb for a target of shape [8, 8, 1]" in done.err
    np.savez("none.npz", x=rng.random((20, 0)), y=Y[:20])
    assert "no rule of thumb for examples of shape 0" in kbuild("new", "--data", "none.npz").err


def test_a_name_with_a_space(kbuild, here):
    assert kbuild("new", "--data", "iris", "my spec.yaml").code == 0
    text = Path("my spec.yaml").read_text("utf-8")
    assert text.startswith("# kbuild fit 'my spec.yaml'\n")
    assert "\nname: my_spec\n" in text


def test_a_dollar_in_the_name_of_a_column_is_no_variable(kbuild, here):
    rows = "".join(f"{i / 7:.2f},{i % 3},{i % 4},{i % 2}\n" for i in range(60))
    Path("odd.csv").write_text(f'"# a",$b,yes,true\n{rows}', "utf-8")
    assert kbuild("new", "--data", "odd.csv", "odd.yaml").code == 0
    done = kbuild("check", "odd.yaml")
    assert (done.code, done.err) == (0, "")
    assert " 3 → 1," in done.out


def test_an_editor_finds_the_schema_that_lies_beside_it(kbuild, here):
    (here / "kbuild.schema.json").write_text("{}")
    assert kbuild("new", "--data", "iris", ".").code == 0
    assert (
        Path("iris.yaml")
        .read_text("utf-8")
        .startswith("# yaml-language-server: $schema=kbuild.schema.json\n# kbuild fit")
    )
    assert kbuild("new", "--data", "iris").out.startswith("# kbuild fit")
