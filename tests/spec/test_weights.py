"""What a spec starts from: which paths it may name, what they must be, and how a run keeps them."""

import json
import zipfile
from pathlib import Path

import pytest

from kbuild.plan.check import check, starts
from kbuild.spec.fill import filled, roots
from kbuild.spec.load import load
from kbuild.text.problem import SpecError
from kbuild.text.write import write

HDF5 = b"\x89HDF\r\n\x1a\n"


def spec(folder: Path, weights: str, entry: str = "", **options):
    path = folder / "spec.yaml"
    beside = f", weights: {entry}" if entry else ""
    top = f"weights: {weights}\n" if weights else ""
    model = (
        f"model:\n  inputs: {{x: {{shape: [4]}}}}\n  layers: [{{chain: [{{Dense: 2, name: a}}], name: body{beside}}}]\n"
    )
    path.write_text(f"kbuild: 1\n{top}{model}")
    return load(path, **options)


def run(path: Path, model: bool = True, status: str = "done") -> Path:
    path.mkdir(parents=True)
    (path / "run.json").write_text(json.dumps({"status": status}))
    if model:
        keras_file(path / "model.keras")
    return path


def keras_file(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("model.weights.h5", HDF5)
    return path


def test_a_path_starts_at_the_spec_and_a_run_at_the_current_folder(tmp_path, monkeypatch):
    home, here = tmp_path / "specs", tmp_path / "work"
    home.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    assert spec(home, "base.keras").weights == home / "base.keras"
    wanted = run(here / "runs" / "base-001")
    assert spec(home, "runs/base-001").weights == wanted
    nearer = run(home / "runs" / "base-001")
    assert spec(home, "runs/base-001").weights == nearer
    assert spec(home, "false").weights is None
    assert spec(home, "null").weights is None
    outside = tmp_path / "other"
    outside.mkdir()
    with pytest.raises(SpecError, match="leads out"):
        spec(home, str(outside / "a.keras"))
    assert spec(home, str(outside / "a.keras"), data_roots=[outside]).weights == outside / "a.keras"


@pytest.mark.parametrize(
    "path",
    ["../a.keras", "/etc/passwd", "runs/../../a.keras", "http://h/a.keras", "hf://a", "~/a.keras", "gs://b/a.keras"],
)
@pytest.mark.parametrize("where", ["top", "entry"])
def test_a_path_that_leads_out_is_refused(tmp_path, monkeypatch, path, where):
    home, here = tmp_path / "specs", tmp_path / "work"
    home.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    with pytest.raises(SpecError) as caught:
        check(spec(home, path if where == "top" else "", path if where == "entry" else ""))
    assert [problem.code for problem in caught.value.problems] == ["K112"]


def test_a_link_in_the_folder_of_runs_does_not_lead_out_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "specs"
    home.mkdir()
    run(tmp_path / "secret")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "base").symlink_to(tmp_path / "secret")
    assert spec(home, "runs/base").weights == home / "runs" / "base"
    with pytest.raises(SpecError, match="leads out"):
        spec(home, str(tmp_path / "runs" / "base"))


@pytest.mark.parametrize("name", ["a.h5", "a.npz", "a.pt", "a.safetensors", "a.ckpt"])
def test_a_file_of_another_kind_is_refused_by_its_name(tmp_path, name):
    with pytest.raises(SpecError) as caught:
        spec(tmp_path, name)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("K116", f"`{name}` is no run, `.keras` or `.weights.h5` file")


def test_what_is_not_there_is_a_warning_for_check_and_an_error_for_who_needs_it(tmp_path):
    found = check(spec(tmp_path, "base.keras", "part.weights.h5"))
    assert [(p.code, p.severity, p.span.line) for p in found.problems] == [
        ("K116", "warning", 2),
        ("K116", "warning", 5),
    ]
    assert {p.severity for p in starts(found.spec, found.plan, "error")} == {"error"}


def test_a_file_with_another_content_is_an_error(tmp_path):
    (tmp_path / "a.keras").write_bytes(b"PK nothing")
    (tmp_path / "a.weights.h5").write_bytes(b"\x80\x04pickle")
    for name, said in (("a.keras", "is not a zip file with weights in it"), ("a.weights.h5", "is not an HDF5 file")):
        with pytest.raises(SpecError, match=said):
            check(spec(tmp_path, name))
    keras_file(tmp_path / "a.keras")
    (tmp_path / "a.weights.h5").write_bytes(HDF5)
    assert check(spec(tmp_path, "a.keras", "a.weights.h5")).problems == ()


def test_a_run_without_a_model_says_how_to_end_it(tmp_path):
    run(tmp_path / "killed", model=False, status="running")
    (problem,) = check(spec(tmp_path, "killed")).problems
    assert problem.message == f"the run `{tmp_path}/killed` has no model: its status is `running`"
    assert problem.help == f"`kbuild fit --resume {tmp_path}/killed` ends it"
    (tmp_path / "folder").mkdir()
    (problem,) = check(spec(tmp_path, "folder")).problems
    assert problem.message == f"`{tmp_path}/folder` is no run: it has no `run.json` that can be read"


def test_a_run_keeps_absolute_paths_and_the_folders_they_need(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "specs"
    home.mkdir()
    run(tmp_path / "runs" / "base")
    keras_file(home / "part.keras")
    found = spec(home, "runs/base", "part.keras")
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "spec.yaml").write_text(write(filled(found)))
    (kept / "run.json").write_text(json.dumps({"data_roots": [str(root) for root in roots(found)]}))
    assert roots(found) == (home, tmp_path / "runs")
    monkeypatch.chdir("/")
    again = load(kept / "spec.yaml")
    assert again.weights == tmp_path / "runs" / "base"
    (step,) = check(again).plan.steps
    assert (step.weights.path, step.weights.entry) == (str(home / "part.keras"), "body")
