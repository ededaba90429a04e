import pytest

from kbuild.cli import check
from kbuild.version import __version__

VERBS = [
    "check",
    "show",
    "data",
    "diff",
    "ls",
    "cp",
    "new",
    "layers",
    "schema",
    "rules",
    "fit",
    "lr",
    "tune",
    "evaluate",
    "predict",
]
VERBS += ["export", "compare", "ensemble", "board"]


def test_help_lists_every_verb_with_a_whole_sentence(kbuild):
    done = kbuild("--help")
    assert done.code == 0
    listed = done.out.partition("Commands:\n")[2].strip().split("\n")
    assert [line.split()[0] for line in listed] == VERBS
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(kbuild, verb):
    done = kbuild(verb, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: kbuild {verb} [OPTIONS]")


def test_version(kbuild):
    done = kbuild("--version")
    assert (done.code, done.out) == (0, f"kbuild {__version__}\n")


def test_an_unknown_verb_is_wrong_usage(kbuild):
    done = kbuild("chekc")
    assert done.code == 2
    assert "No such command 'chekc'" in done.err
    assert "check" in done.err


def test_an_unknown_option_is_wrong_usage(kbuild):
    done = kbuild("check", "x.yaml", "--sett", "a=1")
    assert done.code == 2
    assert "No such option" in done.err


def test_an_unknown_backend_is_wrong_usage(kbuild):
    done = kbuild("fit", "kbuild:digits_mlp", "--backend", "theano")
    assert done.code == 2
    assert "'theano' is not one of" in done.err


def test_a_mistake_has_no_traceback_unless_it_is_asked_for(kbuild, tmp_path):
    spec = tmp_path / "bad.yaml"
    spec.write_text("kbuild: 1\nmodel: [Dens]\n")
    assert "Traceback" not in kbuild("show", spec).err
    assert "Traceback" in kbuild("show", spec, "--debug").err


def test_anything_else_says_that_it_is_a_bug(kbuild, monkeypatch, tmp_path):
    def broken(*given: object, **more: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(check, "checked", broken)
    spec = tmp_path / "fine.yaml"
    spec.write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [3]}}, layers: [{Dense: 2}]}\n")
    done = kbuild("check", spec)
    assert done.code == 70
    assert "ZeroDivisionError: division by zero" in done.err
    assert f"This is a bug in kbuild {__version__}, not a mistake of yours." in done.err


def test_a_place_that_cannot_be_written_is_no_bug(kbuild, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    done = kbuild("cp", "digits_mlp", file / "below")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error[K020]: the system refuses `{file}")
    assert "Traceback" not in done.err


def test_ctrl_c_ends_with_130(kbuild, monkeypatch, tmp_path):
    def stopped(*given: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "checked", stopped)
    spec = tmp_path / "fine.yaml"
    spec.write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [3]}}, layers: [{Dense: 2}]}\n")
    done = kbuild("check", spec)
    assert (done.code, done.out, done.err) == (130, "", "stopped by Ctrl-C\n")
