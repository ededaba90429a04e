"""The wheel, built from what is tracked and used outside the checkout: nothing that kbuild needs is left behind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pip(*arguments: object, cwd: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    pytest.importorskip("setuptools", reason="the wheel is built with it")
    source = tmp_path_factory.mktemp("source")
    for name in listed.stdout.split("\n"):
        packaged = name.startswith(("builder/", "specs/")) or "/" not in name
        if name and packaged and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", source / "wheels", source, cwd=source)
    (wheel,) = (source / "wheels").glob("kbuild-*.whl")
    target = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--target", target, wheel, cwd=target)
    return target


def run(installed: Path, folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed), "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_complete(installed: Path, tmp_path: Path):
    where = run(installed, tmp_path, sys.executable, "-c", "import kbuild; print(kbuild.__file__)")
    assert Path(where.strip()).is_relative_to(installed)
    specs = [path.stem for path in sorted((ROOT / "specs").glob("*.yaml"))]
    listed = json.loads(run(installed, tmp_path, sys.executable, "-m", "kbuild", "ls", "--json"))
    assert [entry["name"] for entry in listed] == specs
    assert {path.name for path in (installed / "kbuild" / "blocks").glob("*.yaml")} == {
        path.name for path in (ROOT / "builder" / "kbuild" / "blocks").glob("*.yaml")
    }
    assert (installed / "kbuild" / "specs" / "README.md").is_file()
    assert (installed / "kbuild" / "specs" / "data" / "xor.csv").is_file()


def test_the_command_works_outside_the_checkout(installed: Path, tmp_path: Path):
    kbuild = str(installed / "bin" / "kbuild")
    assert run(installed, tmp_path, kbuild, "--version").startswith("kbuild ")
    assert "fine" in run(installed, tmp_path, kbuild, "check", "kbuild:digits_mlp", "kbuild:xor_mlp")
    run(installed, tmp_path, kbuild, "cp", "xor_mlp")
    (tmp_path / "mine.yaml").write_text("kbuild: 1\nextends: kbuild:digits_mlp\ntrain: {epochs: 1}\n")
    assert "mine.yaml: fine" in run(installed, tmp_path, kbuild, "check", "mine.yaml", "xor_mlp.yaml")
