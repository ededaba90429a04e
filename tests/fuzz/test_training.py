"""Whatever `check` finds nothing wrong with trains: specs made up from the signatures of the installed Keras."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

HERE = Path(__file__).parent
EACH = 100
# they train, and between them they have phases, accumulation, several steps an execution, averages and mixed precision
SOME = (0, 8)


def run(first: int, count: int) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parents[1] / "builder"),
        "KERAS_BACKEND": keras.backend.backend(),
    }
    command = [sys.executable, str(HERE / "training.py"), str(first), str(count)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"number"')]
    # what is refused when Keras has started is refused too late; a loss that explodes is nobody's mistake
    wrong = [one for one in told if one["outcome"] in ("crashed", "late")]
    assert not wrong, json.dumps(wrong, indent=1)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"{count} specs: " in done.stdout and "'trained'" in done.stdout


def test_a_few_specs():
    run(*SOME)


@pytest.mark.full
@pytest.mark.parametrize("first", range(8, 8 + 10_000, EACH))
def test_ten_thousand_specs(first: int):
    run(first, EACH)
