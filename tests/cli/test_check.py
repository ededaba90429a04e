import json

from kbuild.text.render import as_json

FINE = "kbuild: 1\nmodel: {inputs: {x: {shape: [8, 8, 1]}}, layers: [Flatten, {Dense: 10}]}\n"
BAD = """kbuild: 1
model:
  inputs: {x: {shape: [8, 8, 1]}}
  layers:
    - Conv2D: {filter: 64, kernel_size: 3}
"""
SHOWN = """error[K103]: `Conv2D` has no argument `filter`
 --> {path}:5:16
  |
5 |     - Conv2D: {{filter: 64, kernel_size: 3}}
  |                ^^^^^^
  = help: did you mean `filters`?
"""


def test_a_fine_spec_is_one_line(kbuild, tmp_path):
    spec = tmp_path / "fine.yaml"
    spec.write_text(FINE)
    done = kbuild("check", spec)
    assert (done.code, done.out, done.err) == (0, f"{spec}: fine (2 layers, 8×8×1 → 10, 650 parameters)\n", "")


def test_quiet_says_nothing_of_what_is_fine(kbuild, tmp_path):
    spec = tmp_path / "fine.yaml"
    spec.write_text(FINE)
    done = kbuild("check", "--quiet", spec)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_mistake_is_shown_where_it_stands(kbuild, tmp_path):
    spec = tmp_path / "bad.yaml"
    spec.write_text(BAD)
    done = kbuild("check", spec)
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith(SHOWN.format(path=spec))


def test_of_several_specs_all_are_told(kbuild, tmp_path):
    fine, bad, worse = (tmp_path / f"{name}.yaml" for name in ("fine", "bad", "worse"))
    fine.write_text(FINE)
    bad.write_text(BAD)
    worse.write_text("kbuild: 1\nmodel: [Dens]\n")
    done = kbuild("check", bad, fine, worse)
    assert done.code == 1
    assert done.out == f"{fine}: fine (2 layers, 8×8×1 → 10, 650 parameters)\n"
    assert f"{bad}:5:16" in done.err
    assert f"{worse}:2:9" in done.err


def test_json_of_a_mistake(kbuild, tmp_path):
    spec = tmp_path / "bad.yaml"
    spec.write_text(BAD)
    done = kbuild("check", "--json", spec)
    assert (done.code, done.err) == (1, "")
    found = json.loads(done.out)
    assert found["ok"] is False
    first = found["problems"][0]
    assert set(first) == {
        "code", "severity", "message", "help", "file", "line", "column", "end_line", "end_column", "path",
    }  # fmt: skip
    assert first["code"] == "K103"
    assert first["message"] == "`Conv2D` has no argument `filter`"
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (5, 16, 5, 22)


def test_json_of_a_fine_spec(kbuild, tmp_path):
    spec = tmp_path / "fine.yaml"
    spec.write_text(FINE)
    done = kbuild("check", "--json", spec)
    assert (done.code, json.loads(done.out)) == (
        0,
        {"ok": True, "problems": [], "params": 650, "trainable": 650, "flops": 1290},
    )


def test_annotations_for_github(kbuild, tmp_path, monkeypatch):
    (tmp_path / "specs").mkdir()
    spec, fine, worse = (tmp_path / "specs" / f"{name}.yaml" for name in ("bad", "fine", "a,b"))
    spec.write_text(BAD)
    fine.write_text(FINE)
    worse.write_text("kbuild: 1\nmodel: [Dens]\ntrain: {epochs: 0}\n")
    monkeypatch.chdir(tmp_path)
    done = kbuild("check", "--format", "github", spec, "specs/fine.yaml", "specs/a,b.yaml")
    assert (done.code, done.err) == (1, "")
    first, *others, last = done.out.splitlines()
    assert first == (
        "::error file=specs/bad.yaml,line=5,col=16,endLine=5,endColumn=22,title=K103::"
        "`Conv2D` has no argument `filter`%0Adid you mean `filters`?"
    )
    assert [line.partition("::`")[0].partition(",col")[0] for line in others] == [
        "::error file=specs/a%2Cb.yaml,line=3", "::error file=specs/a%2Cb.yaml,line=2",
    ]  # fmt: skip
    assert last.startswith("specs/fine.yaml: fine (")
    assert kbuild("check", "--format", "github", "--quiet", fine).out == ""


def test_annotations_tell_in_words_what_stands_in_no_file_of_the_checkout(kbuild, tmp_path, monkeypatch):
    (tmp_path / "fine.yaml").write_text(FINE)
    monkeypatch.chdir(tmp_path)
    done = kbuild("check", "--format", "github", "fine.yaml", "--set", "model.layers=[Flatten, {Dense: {unit: 7}}]")
    assert done.out.startswith(
        "::error title=K103::`Dense` has no argument `unit`%0Adid you mean `units`?%0Aat --set model.layers:1:20"
    )
    assert kbuild("check", "--format", "github", "no.yaml").out.startswith(
        "::error title=K001::there is no file `no.yaml`"
    )


def test_annotations_name_related_places(kbuild, tmp_path, monkeypatch):
    (tmp_path / "shapes.yaml").write_text(
        "kbuild: 1\nmodel:\n  inputs: {x: {shape: [4, 4, 1]}}\n  layers: [Flatten, {Conv2D: {filters: 3, kernel_size: 3}}]\n"
    )
    monkeypatch.chdir(tmp_path)
    (line, *_) = kbuild("check", "--format", "github", "shapes.yaml").out.splitlines()
    assert line.startswith("::error file=shapes.yaml,line=4,")
    assert line.endswith("%0Athe input `x` is (4, 4, 1) (shapes.yaml:3:12)%0A`flatten` gives (16,) (shapes.yaml:4:12)")


def test_hints_are_notices(kbuild, tmp_path, monkeypatch):
    from kbuild.text.problem import Problem
    from kbuild.text.render import github

    assert github([Problem("K300", "m", severity="hint")]) == "::notice title=K300::m"


def test_json_of_several_specs_is_one_value(kbuild, tmp_path):
    for name, text in {"fine": FINE, "bad": BAD, "worse": "kbuild: 1\nmodel: [Dens]\n"}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    files = [tmp_path / f"{name}.yaml" for name in ("bad", "fine", "worse")]
    done = kbuild("check", "--format", "json", *files)
    assert (done.code, done.err) == (1, "")
    assert done.out == kbuild("check", "--json", *files).out
    found = json.loads(done.out)
    assert set(found) == {"ok", "problems"}
    assert {problem["file"] for problem in found["problems"]} == {str(files[0]), str(files[2])}


def test_a_spec_that_is_not_there(kbuild, tmp_path):
    done = kbuild("check", tmp_path / "no.yaml")
    assert done.code == 1
    assert "no.yaml" in done.err
    assert "Traceback" not in done.err


def test_a_shipped_spec_that_is_not_there(kbuild):
    done = kbuild("check", "kbuild:digits_mpl")
    assert done.code == 1
    assert "kbuild ships no spec `digits_mpl`" in done.err
    assert "did you mean `digits_mlp`?" in done.err


def test_set_changes_the_spec(kbuild, tmp_path):
    spec = tmp_path / "fine.yaml"
    spec.write_text(FINE)
    assert "→ 7, 455 parameters)" in kbuild("check", spec, "--set", "model.layers=[Flatten, {Dense: 7}]").out
    wrong = kbuild("check", spec, "--set", "model.layers=[Flatten, {Dense: {unit: 7}}]")
    assert wrong.code == 1
    assert "`Dense` has no argument `unit`" in wrong.err
    assert "--set" in wrong.err


def test_absent_data_are_a_warning(kbuild, tmp_path):
    spec = tmp_path / "absent.yaml"
    spec.write_text("kbuild: 1\ndata: {source: {npz: no.npz}}\nmodel: [Flatten, {Dense: 3}]\n")
    done = kbuild("check", spec)
    assert done.code == 0
    assert done.err.startswith("warning[K402]: ")
    assert f"{spec}:2:" in done.err
    assert "fine (2 layers, ? → ?)" in done.out or "fine (2 layers, ? → 3)" in done.out


def test_data_that_are_no_data_are_an_error(kbuild, tmp_path):
    spec = tmp_path / "broken.yaml"
    spec.write_text("kbuild: 1\ndata: {source: {npz: broken.npz}}\nmodel: [Flatten, {Dense: 3}]\n")
    (tmp_path / "broken.npz").write_bytes(b"this is no zip file")
    done = kbuild("check", spec)
    assert done.code == 3
    assert "error[K4" in done.err
    assert f"{spec}:2:" in done.err


def test_hints_are_shown_when_asked_for(kbuild, tmp_path, monkeypatch):
    from kbuild.text.problem import Problem

    hint = Problem("K300", "two layers would do", severity="hint")
    assert as_json([hint])[0]["severity"] == "hint"
    spec = tmp_path / "fine.yaml"
    spec.write_text(FINE)
    from kbuild.plan import check as stage

    real = stage.expand

    def with_hint(*given):
        from dataclasses import replace

        return replace(real(*given), problems=(hint,))

    monkeypatch.setattr(stage, "expand", with_hint)
    assert "two layers would do" not in kbuild("check", spec).err
    assert "hint[K300]: two layers would do" in kbuild("check", "--hints", spec).err
