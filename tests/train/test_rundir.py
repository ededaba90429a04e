import json

import pytest

from kbuild.text.problem import SpecError
from kbuild.text.source import Source
from kbuild.train import rundir


def message(call, *args, **kwargs):
    with pytest.raises(SpecError) as caught:
        call(*args, **kwargs)
    (problem,) = caught.value.problems
    return problem.code, problem.message, problem.help


def test_names_count_up_and_skip_what_is_there(tmp_path):
    root = tmp_path / "runs"
    assert rundir.create("net", root=root) == root / "net-001"
    (root / "net-007").mkdir()
    (root / "net-old").mkdir()
    path = rundir.create("net", root=root)
    assert path.name == "net-008"
    assert sorted(entry.name for entry in path.iterdir()) == ["checkpoints", "report", "source"]


def test_out_may_be_absent_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    assert rundir.create("net", tmp_path / "empty") == tmp_path / "empty"
    assert rundir.create("net", tmp_path / "deep" / "new").is_dir()


def test_out_with_something_in_it_is_refused_and_kept(tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    code, text, hint = message(rundir.create, "net", tmp_path)
    assert (code, text) == ("K601", f"`{tmp_path}` is not empty")
    assert hint == "give a new directory to `--out`, or leave it out: `runs/NAME-NNN`"
    assert [entry.name for entry in tmp_path.iterdir()] == ["precious.txt"]


def test_out_that_is_a_file_is_refused(tmp_path):
    file = tmp_path / "f"
    file.write_text("x")
    assert message(rundir.free, file)[1] == f"`{file}` is a file"
    code, text, _ = message(rundir.create, "net", file / "below")
    assert code == "K602"
    assert text == f"cannot make a run directory in `{file / 'below'}`: Not a directory"


def test_sources_are_copied_as_written(tmp_path):
    path = rundir.create("net", tmp_path / "r")
    one, two = tmp_path / "a" / "net.yaml", tmp_path / "b" / "net.yaml"
    sources = (Source("a/net.yaml", "kbuild: 1\n", one), Source("b/net.yaml", "# ü\n", two), Source("<--set>", "x=1"))
    rundir.keep_sources(path, sources)
    assert {file.name: file.read_text("utf-8") for file in (path / "source").iterdir()} == {
        "net.yaml": "kbuild: 1\n",
        "net-2.yaml": "# ü\n",
    }


def test_describe_lays_fields_over_those_that_are_there(tmp_path):
    rundir.describe(tmp_path, status="running", seed=3)
    rundir.describe(tmp_path, status="done")
    info = rundir.info(tmp_path)
    assert (info["status"], info["seed"]) == ("done", 3)


def test_what_is_no_run_is_named(tmp_path):
    code, text, hint = message(rundir.info, tmp_path / "nothing")
    assert (code, text) == ("K603", f"there is no run directory `{tmp_path / 'nothing'}`")
    assert hint == "give the directory that `kbuild fit` made, such as `runs/NAME-001`"
    (tmp_path / "net-001").mkdir()
    (tmp_path / "net-001" / "run.json").write_text("{}")
    code, text, hint = message(rundir.info, tmp_path / "net-002")
    assert hint == f"the newest run there is `{tmp_path / 'net-001'}`"
    code, text, _ = message(rundir.info, tmp_path)
    assert (code, text) == ("K604", f"`{tmp_path}` is not a run directory: it has no `run.json`")


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1'])
def test_a_torn_description_is_told(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    code, text, hint = message(rundir.info, tmp_path)
    assert code == "K605"
    assert text.startswith(f"`{tmp_path / 'run.json'}` cannot be read: ")
    assert hint == "train again: `kbuild fit` makes a new run"


def test_versions_name_what_is_installed():
    found = rundir.versions()
    assert found["keras"].count(".") == 2
    assert "python" in found
    json.dumps(found)
