"""specs/README.md: every example on it builds, or fails with the code it announces; and the page leaves nothing out."""

import re
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kbuild.spec.block import library
from kbuild.spec.names import SIBLINGS, STRUCTURE
from kbuild.text.node import Mapping, Sequence, plain
from kbuild.text.problem import SpecError
from kbuild.text.read import read
from kbuild.text.source import Source

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "specs/README.md").read_text(encoding="utf-8")
EXAMPLES = [
    (PAGE[: match.start()].count("\n") + 1, match[1].strip(), match[2])
    for match in re.finditer(r"^```yaml(.*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)
]
RIGHT = [pytest.param(text, id=f"line {line}") for line, code, text in EXAMPLES if not code]
WRONG = [pytest.param(text, code, id=f"line {line} {code}") for line, code, text in EXAMPLES if code]
CODES = re.compile(r"\bK[0-6]\d\d\b")


def whole(text: str) -> str:
    """An example with the top-level keys that it leaves out."""
    if text.startswith("- "):
        text = "model:\n" + textwrap.indent(text, "  ")
    keys = set(re.findall(r"^(\w+):", text, re.MULTILINE))
    if "kbuild" not in keys:
        text += "kbuild: 1\n"
    if "data" not in keys and not re.search(r"^model:\n(  .*\n)*?  inputs:", text, re.MULTILINE):
        text += "data: {source: digits}\n"
    if "model" not in keys:
        text += "model: [Flatten, {Dense: {units: 10, activation: softmax}, name: digit}]\n"
    return text


@pytest.fixture
def folder(tmp_path):
    """The files that the examples name, each with a few made-up examples."""
    from PIL import Image

    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 17, (40, 8, 8, 1), dtype=np.uint8), np.arange(40) % 10
    np.savez(tmp_path / "digits.npz", x_train=x, y_train=y, w_train=np.ones(40, "float32"), x_test=x, y_test=y)
    np.savez(tmp_path / "pairs.npz", xi=x, xm=rng.random((40, 4), dtype="float32"), yd=y, ye=y % 2)
    (tmp_path / "arrays").mkdir()
    for name, array in {"x_train": x, "y_train": y, "x_test": x, "y_test": y}.items():
        np.save(tmp_path / "arrays" / f"{name}.npy", array)
    rows = "".join(f"{20 + i},{'ABC'[i % 3]},some words {i},{i * 1.5}\n" for i in range(30))
    for name in ("prices.csv", "prices_test.csv"):
        (tmp_path / name).write_text("age,city,note,price\n" + rows)
    for kind in ("good", "bad"):
        (tmp_path / "reviews" / kind).mkdir(parents=True)
        for i in range(6):
            (tmp_path / "reviews" / kind / f"{i}.txt").write_text(f"a {kind} text of number {i}")
    for part in ("photos", "photos_test"):
        for kind in ("cat", "dog"):
            (tmp_path / part / kind).mkdir(parents=True)
            for i in range(6):
                pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / kind / f"{i}.png")
    (tmp_path / "runs" / "base-001").mkdir(parents=True)
    for name in ("teacher.keras", "runs/base-001/model.keras"):
        with zipfile.ZipFile(tmp_path / name, "w") as made:
            made.writestr("model.weights.h5", b"")
    (tmp_path / "base.yaml").write_text(whole("train: {optimizer: {Adam: {learning_rate: 1e-3}}}\n"))
    return tmp_path


def built(text: str, folder: Path):
    """Spec text → (Checked, keras.Model)."""
    from kbuild.model.build import build
    from kbuild.plan.check import check
    from kbuild.spec.load import load

    (folder / "example.yaml").write_text(text, encoding="utf-8")
    checked = check(load(folder / "example.yaml"))
    return checked, build(checked.plan)


@pytest.mark.parametrize("text", RIGHT)
def test_an_example_builds(text, folder):
    checked, model = built(whole(text), folder)
    assert not [p.message for p in checked.problems if p.severity != "hint"]
    assert len(model.outputs) == len(checked.plan.outputs)


@pytest.mark.parametrize(("text", "code"), WRONG)
def test_an_example_of_a_mistake_has_the_code_it_announces(text, code, folder):
    with pytest.raises(SpecError) as caught:
        built(whole(text), folder)
    assert code in {problem.code for problem in caught.value.problems}
    assert all(problem.span for problem in caught.value.problems)


def test_the_page_has_examples_of_both_kinds():
    assert len(RIGHT) > 40
    assert len(WRONG) >= 7


def keys_of(node) -> set[str]:
    if isinstance(node, Mapping):
        return set(node.keys).union(*(keys_of(value) for _, value in node.pairs))
    return set().union(*(keys_of(item) for item in node)) if isinstance(node, Sequence) else set()


def test_every_key_of_the_format_stands_in_an_example_or_is_said_to_be_for_later():
    from kbuild.spec import data, train
    from kbuild.spec.parse import KEYS
    from kbuild.spec.tune_section import KEYS as TUNE

    shown = set().union(*(keys_of(read(Source("example", whole(text)))) for _, code, text in EXAMPLES if not code))
    sections = [train.Train, train.EarlyStopping, train.TensorBoard, train.Execution, *train.SCHEDULES.values()]
    sections += [train.Budget, data.Data, data.Split, data.Npz, data.NpzPart, data.Csv, data.Images, data.Texts]
    wanted = {key for section in sections for key in section.model_fields} - {"kind"}
    wanted |= {*SIBLINGS, *STRUCTURE, *TUNE, *train.SCHEDULES, "params", "inputs", "layers", "outputs"}
    wanted |= {"$choice", "$int", "$float", "$bool", "default", "step", "sampling"}
    later = {"weights", "use"}
    assert wanted - later <= shown
    assert set(KEYS) - later <= shown
    assert all(f"`{key}`" in PAGE for key in later | set(KEYS))


def test_every_block_of_the_library_stands_there_with_its_parameters():
    for name, block in library().items():
        line = re.search(rf"^\| `{name}\((.*?)\)` \|", PAGE, re.MULTILINE)
        assert line, name
        written = {}
        for part in line[1].split(", "):
            parameter, _, default = part.partition("=")
            written[parameter] = default or None
        defaults = {key: None if value is None else plain(value) for key, value in block.params.items()}
        said = {key: None if value is None else plain(read(Source("default", value))) for key, value in written.items()}
        assert said == defaults, name
        required = [key for key, value in block.params.items() if value is None]
        assert [key for key, value in written.items() if value is None] == required, name


def test_every_code_has_its_line_and_every_line_a_code():
    used = set()
    for path in (ROOT / "builder").rglob("*.py"):
        used |= set(CODES.findall(path.read_text(encoding="utf-8")))
    listed = re.findall(r"^\| `(K\d\d\d)` \| \S", PAGE, re.MULTILINE)
    assert listed == sorted(set(listed))
    # a rule has its page in RULES.md
    assert set(listed) == {code for code in used if not re.match("K3(?!00)", code)}


def test_every_shipped_spec_is_listed():
    table = PAGE[PAGE.index("## The shipped specs") :]
    assert set(re.findall(r"`(\w+)`(?=[,| ])", table)) >= {path.stem for path in (ROOT / "specs").rglob("*.yaml")}
