"""The command, run in this process or in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kbuild.cli.main import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def kbuild(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command here: `kbuild("check", path)`."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        found = capsys.readouterr()
        return Result(int(end.value.code or 0), found.out, found.err)

    return run


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., Result]:
    """Run the command in a process of its own, with an empty HOME, in an empty folder."""

    def run(*arguments: object, **environment: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "kbuild", *(str(argument) for argument in arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "builder"), "HOME": str(tmp_path), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run
