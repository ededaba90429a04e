"""`repeat`: copies that would be too many or too large are refused after two of them; those that fit never are."""

import pytest

from kbuild.plan import budget, repeats
from kbuild.plan.expand import expand
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

HEAD = "kbuild: 1\nmodel:\n  inputs: {x: {shape: [16]}}\n  layers:\n"
GB = 10**9


@pytest.fixture(autouse=True)
def _machine(monkeypatch):
    monkeypatch.setattr(budget, "machine_memory", lambda: 16 * GB)


def refused(text: str, monkeypatch) -> tuple[str, str]:
    """Code and message of what is refused, and that no more than two copies were made."""
    made = []
    once = repeats.once
    monkeypatch.setattr(repeats, "once", lambda *given: made.append(0) or once(*given))
    with pytest.raises(SpecError) as caught:
        expand(load(text))
    (problem,) = caught.value.problems
    assert len(made) == 2
    assert problem.span.line == 5 + text.count("train")
    return problem.code, problem.message


def test_copies_over_the_memory(monkeypatch):
    wide = "    - {Dense: 4096, repeat: 200000}\n"
    said = "200,000 copies of 16,781,312 parameters need at least 13.4 TB"
    assert refused(HEAD + wide, monkeypatch) == (
        "K241", f"this network cannot be trained here: {said}, and this machine has 16 GB",
    )  # fmt: skip


def test_copies_over_the_budget_and_within_it(monkeypatch):
    text = HEAD.replace("model", "train: {budget: {memory: 1 GB}}\nmodel") + "    - {Dense: 1000, repeat: 300}\n"
    assert refused(text, monkeypatch)[0] == "K240"
    assert len(expand(load(text.replace("1 GB", "2 GB"))).steps) == 300


def test_copies_with_many_inputs(monkeypatch):
    text = HEAD + "    - {Add: null, from: [" + ", ".join(["x"] * 200) + "], repeat: 10000}\n"
    assert refused(text, monkeypatch) == (
        "K204", "the expanded network would have at least 2,000,001 entries, and may have 1,000,000",
    )  # fmt: skip


def test_copies_with_many_values(monkeypatch):
    constant = "{Constant: [" + ", ".join(["1"] * 2000) + "]}"
    text = HEAD + f"    - {{Dense: {{units: 16, bias_initializer: {constant}}}, repeat: 100000}}\n"
    assert refused(text, monkeypatch)[0] == "K204"


@pytest.mark.parametrize(
    "entry",
    [
        # the first copies are large, the others are not
        'Dense: {units: "${4000 if i < 2 else 4}"}, repeat: 1000',
        # each copy is smaller than the one before
        'Dense: {units: "${max(16, input_shape[-1] // 2)}"}, repeat: 1000',
        "chain: [{Dense: $units}, {Dense: 4}], repeat: {units: [" + ", ".join(["4000"] * 2 + ["4"] * 998) + "]}",
    ],
)
def test_what_fits_is_never_refused(entry):
    assert len(expand(load(HEAD + f"    - {{{entry}}}\n")).steps) >= 1000


def test_shared_weights_count_once(monkeypatch):
    layers = "    - {Dense: 16, name: d}\n    - {reuse: d, repeat: 1000}\n"
    monkeypatch.setattr(budget, "machine_memory", lambda: 100_000)
    assert len(expand(load(HEAD + layers)).steps) == 1001
    assert refused(HEAD + "    - {Dense: 16, repeat: 1000}\n", monkeypatch)[0] == "K241"
