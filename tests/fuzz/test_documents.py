"""Any document gives a Spec or a SpecError, soon and in bounded memory: thousands of mutated and made-up ones."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EACH = 500


def run(first: int, count: int) -> None:
    command = [sys.executable, str(HERE / "documents.py"), str(first), str(count)]
    environment = {"PYTHONPATH": str(HERE.parents[1] / "builder"), "PATH": "", "HOME": "/nonexistent"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert f"{count} documents, 0 wrong" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarms and no resource limits")
def test_a_few_hundred_documents():
    run(0, 600)


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarms and no resource limits")
@pytest.mark.parametrize("first", range(600, 600 + 10_000, EACH))
def test_ten_thousand_documents(first: int):
    run(first, EACH)
