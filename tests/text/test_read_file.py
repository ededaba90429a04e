"""Files → Node: a mistake for each way in which a file can fail to be a text (R9)."""

import os
from pathlib import Path

import pytest

from kbuild.text.node import plain
from kbuild.text.problem import Problem, SpecError
from kbuild.text.read import read_file


def file_problem(path: Path, name: str | None = None) -> Problem:
    with pytest.raises(SpecError) as caught:
        read_file(path, name)
    (problem,) = caught.value.problems
    return problem


def test_a_file_is_called_what_the_user_called_it(tmp_path: Path):
    file = tmp_path / "spec.yaml"
    file.write_bytes(b"\xef\xbb\xbfkbuild: 1\n")
    tree = read_file(file, "my/spec.yaml")
    assert plain(tree) == {"kbuild": 1}
    assert (tree.span.source.name, tree.span.source.path) == ("my/spec.yaml", file)
    assert read_file(file).span.source.name == str(file)


def test_a_file_that_cannot_be_read(tmp_path: Path):
    (tmp_path / "mnist_mlp.yaml").write_text("kbuild: 1\n")
    missing = file_problem(tmp_path / "mnist_mpl.yaml", "mnist_mpl.yaml")
    assert (missing.code, missing.message) == ("K001", "there is no file `mnist_mpl.yaml`")
    assert missing.help == f"did you mean `{tmp_path / 'mnist_mlp.yaml'}`?"
    assert (
        file_problem(tmp_path / "a" / "b.yaml").help == f"the folder `{tmp_path / 'a'}` does not exist: check the path"
    )
    assert file_problem(tmp_path / "zzz").help == "check the path; `kbuild ls` lists the shipped specs"
    folder = file_problem(tmp_path, "here")
    assert (folder.code, folder.message, folder.help) == ("K001", "`here` is a directory", "name a file in it")
    below = file_problem(tmp_path / "mnist_mlp.yaml" / "x", "x")
    assert (below.code, below.message) == ("K001", "`x` cannot be read: Not a directory")
    assert file_problem(Path("a\0b"), "a").message == "`a` cannot be read: embedded null byte"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path):
    file = tmp_path / "spec.yaml"
    file.write_text("kbuild: 1\n")
    file.chmod(0)
    assert file_problem(file, "spec.yaml").message == "`spec.yaml` may not be read"


@pytest.mark.parametrize(
    ("data", "code", "message", "place"),
    [
        (b"a: 1\nb: \xffx\n", "K002", "`f` is not UTF-8 text: byte 0xff", (2, 4)),
        ("a: é\n".encode("latin-1"), "K002", "`f` is not UTF-8 text: byte 0xe9", (1, 4)),
        ("a: 1\n".encode("utf-16"), "K002", "`f` is not UTF-8 text: UTF-16", (1, 1)),
        (b"a: 1\nb\x00: 2\n", "K002", "the character U+0000 is not allowed", (2, 2)),
        (b"x" * (2**20 + 1), "K003", "`f` is larger than 1,048,576 bytes", None),
    ],
)
def test_bytes_that_are_no_text(data: bytes, code: str, message: str, place: tuple[int, int] | None, tmp_path: Path):
    file = tmp_path / "spec.yaml"
    file.write_bytes(data)
    problem = file_problem(file, "f")
    assert (problem.code, problem.message) == (code, message)
    assert (problem.span and (problem.span.line, problem.span.column)) == place
