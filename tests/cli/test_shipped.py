import json
from pathlib import Path

import pytest

from kbuild.spec.shipped import shipped_dir, shipped_names


def test_every_shipped_spec_is_listed_with_what_it_shows(kbuild):
    found = json.loads(kbuild("ls", "--json").out)
    assert [entry["name"] for entry in found] == list(shipped_names())
    assert all(len(entry["about"]) > 20 for entry in found)
    shown = kbuild("ls")
    assert shown.code == 0
    assert all(name in shown.out for name in shipped_names())


def test_a_copy_is_what_was_shipped(kbuild, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = kbuild("cp", "digits_mlp")
    hint = "kbuild schema --out kbuild.schema.json lets your editor complete and underline"
    assert (done.code, done.out) == (0, f"digits_mlp.yaml\n{hint}\n")
    assert Path("digits_mlp.yaml").read_text("utf-8") == (shipped_dir() / "digits_mlp.yaml").read_text("utf-8")
    assert kbuild("cp", "kbuild:digits_mlp", "mine.yaml").code == 0
    assert Path("mine.yaml").exists()


def test_the_files_that_it_needs_come_along(kbuild, tmp_path):
    done = kbuild("cp", "xor_mlp", tmp_path / "new")
    assert done.code == 0
    copied = ("xor_mlp.yaml", "data/xor.csv")
    assert done.out.splitlines()[:-1] == [str(tmp_path / "new" / name) for name in copied]
    assert kbuild("check", tmp_path / "new" / "xor_mlp.yaml").code == 0


def test_the_schema_that_its_first_line_names_is_told_of_until_it_is_there(kbuild, tmp_path):
    assert kbuild("cp", "xor_mlp", tmp_path, "--quiet").out == ""
    (first, *_) = (tmp_path / "xor_mlp.yaml").read_text(encoding="utf-8").splitlines()
    schema = tmp_path / first.partition("$schema=")[2]
    assert f"kbuild schema --out {schema} " in kbuild("cp", "digits_mlp", tmp_path).out
    schema.write_text("mine")
    assert kbuild("cp", "iris_4_8_16_8_3", tmp_path).out == f"{tmp_path / 'iris_4_8_16_8_3.yaml'}\n"


def test_nothing_of_the_user_is_overwritten(kbuild, tmp_path):
    mine = tmp_path / "digits_mlp.yaml"
    mine.write_text("mine")
    done = kbuild("cp", "digits_mlp", tmp_path)
    assert done.code == 2
    assert "is there already and is something else" in " ".join(done.err.split())
    assert mine.read_text() == "mine"


def test_one_that_is_not_there(kbuild, tmp_path):
    done = kbuild("cp", "digits_mpl", tmp_path)
    assert done.code == 1
    assert "did you mean `digits_mlp`?" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", shipped_names())
def test_each_checks_without_a_word(kbuild, name):
    done = kbuild("check", f"kbuild:{name}")
    assert done.code == 0
    assert "error" not in done.err
