"""A few lines that ask for more than any machine has: refused at once, in little memory (R14)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HEAD = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [28, 28, 1]}}\n  layers:\n"
DATA = "kbuild: 1\ndata: {source: digits}\nmodel:\n"
DIGITS = "  - Flatten\n  - Dense: {units: 10, activation: softmax}\n"
MEMORY = 200 * 10**6
CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError
try:
    check(load(sys.argv[1]))
    codes = []
except SpecError as error:
    codes = sorted({p.code for p in error.problems if p.severity == "error"})
try:
    # what `getrusage` tells holds the size of the process that started this one
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    peak = int(line.split()[1]) * 1024
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([codes, peak]))
"""
SPECS = {
    "units": (HEAD + "    - Flatten\n    - Dense: 1000000000000\n", "K241"),
    "units with data": (DATA + "  - Flatten\n  - Dense: 1000000000000\n" + DIGITS, "K241"),
    "filters": (HEAD + "    - Conv2D: {filters: 1000000000, kernel_size: 3}\n", "K241"),
    "filters with data": (DATA + "  - Conv2D: {filters: 1000000000, kernel_size: 3}\n" + DIGITS, "K241"),
    "an embedding": (HEAD + "    - Flatten\n    - Embedding: {input_dim: 1000000000000, output_dim: 1000}\n", "K241"),
    "a shape": (HEAD.replace("28, 28, 1", "100000, 100000, 100") + "    - ReLU\n    - BatchNormalization\n", "K241"),
    "units within a budget of parameters": ("train: {budget: {params: 1e9}}\n" + HEAD + "    - Dense: 1000000000000\n", "K240"),
    "wide copies": (HEAD + "    - Flatten\n    - {Dense: 4096, repeat: 200000}\n", "K241"),
    "copies": (HEAD + "    - {Dense: 16, repeat: 1000000}\n", "K204"),
    "copies of copies": (HEAD + "    - {chain: [{Dense: 16, repeat: 1000}], repeat: 1000}\n", "K204"),
    "copies of copies by shape": (HEAD + '    - {chain: [{Dense: 16, repeat: 1000, when: "${input_shape[-1] < 3}"}], repeat: 9999}\n', "K204"),
}  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource limits")
@pytest.mark.parametrize("name", SPECS)
def test_it_is_refused_before_anything_is_allocated(name: str, tmp_path: Path):
    text, code = SPECS[name]
    (tmp_path / "s.yaml").write_text(text)
    environment = {"PYTHONPATH": str(HERE.parents[1] / "builder"), "PATH": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-c", CHILD, str(tmp_path / "s.yaml")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    codes, memory = json.loads(done.stdout)
    assert code in codes
    assert memory < MEMORY
