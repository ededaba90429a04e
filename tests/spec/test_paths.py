"""Where files may lie: below the spec's folder or a root; links are followed before that is decided."""

from pathlib import Path

import pytest

from kbuild.spec.load import load
from kbuild.text.problem import SpecError


def npz(folder: Path, path: str, **kwargs: object):
    spec = folder / "spec.yaml"
    spec.write_text(f"kbuild: 1\nmodel: [{{Dense: 1}}]\ndata: {{source: {{npz: {path!r}, x: x}}}}\n")
    return load(spec, **kwargs).data.source.npz  # type: ignore[arg-type, union-attr]


def test_a_relative_path_starts_at_the_spec(tmp_path: Path):
    assert npz(tmp_path, "sub/f.npz") == tmp_path / "sub" / "f.npz"


@pytest.mark.parametrize(
    "path",
    ["../f.npz", "/etc/passwd", "sub/../../f.npz", "http://host/f.npz", "gs://b/f.npz", "hf://m", "file:///etc/passwd", "C:\\f.npz",
     "~/f.npz", "\\\\server\\f.npz", "f" * 300, "a/" + "é" * 200 + "/f.npz"],
)  # fmt: skip
def test_everything_else_is_refused(tmp_path: Path, path: str):
    folder = tmp_path / "home"
    folder.mkdir()
    with pytest.raises(SpecError) as caught:
        npz(folder, path)
    assert [p.code for p in caught.value.problems] == ["K112"]


def test_a_link_that_leads_out_is_refused(tmp_path: Path):
    folder, outside = tmp_path / "home", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    with pytest.raises(SpecError, match=r"`link/f\.npz` leads out of the spec's folder"):
        npz(folder, "link/f.npz")


def test_a_root_is_allowed_by_any_spelling(tmp_path: Path):
    folder, root = tmp_path / "home", tmp_path / "allowed"
    folder.mkdir()
    root.mkdir()
    (root / "f.npz").write_bytes(b"")
    assert npz(folder, "../allowed/f.npz", data_roots=[root]) == root / "f.npz"
    assert npz(folder, str(root / "f.npz"), data_roots=[root]) == root / "f.npz"
    assert npz(folder, "f.npz", data_roots=[root]) == root / "f.npz"


def test_what_stands_at_home_comes_before_what_stands_at_a_root(tmp_path: Path):
    folder, root = tmp_path / "home", tmp_path / "allowed"
    for place in (folder, root):
        place.mkdir()
        (place / "f.npz").write_bytes(b"")
    assert npz(folder, "f.npz", data_roots=[root]) == folder / "f.npz"
