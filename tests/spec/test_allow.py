"""A spec is untrusted: every public layer, loss, metric, callback and operation is either checked or refused."""

import pytest

from kbuild.spec.allow import INSTEAD, reason
from kbuild.spec.load import load
from kbuild.spec.signature import names, signature
from kbuild.text.problem import SpecError

RUNS_CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


def refused(namespace: str) -> set[str]:
    found = {name: signature(namespace, name) for name in names(namespace)}
    return {name for name, known in found.items() if known is not None and reason(known)}


def test_layers_that_run_code_or_load_files_are_refused():
    assert refused("layers") >= RUNS_CODE


def test_every_layer_has_a_signature_so_that_none_slips_by_unchecked():
    assert [name for name in names("layers") if signature("layers", name) is None] == []


def test_no_layer_that_may_be_used_takes_a_function():
    words = {"function", "fn", "func", "call_fn", "init_fn", "module", "filepath"}
    open_layers = [known for name in names("layers") if (known := signature("layers", name)) and not reason(known)]
    assert [known.name for known in open_layers if words & {p.name for p in known.parameters if p.required}] == []


def test_operations_that_take_functions_are_refused():
    assert refused("ops") >= {
        "map",
        "scan",
        "while_loop",
        "cond",
        "fori_loop",
        "vectorized_map",
        "switch",
        "custom_gradient",
    }
    assert not refused("ops") & {"add", "concatenate", "reshape", "take", "where", "einsum"}


def test_callbacks_that_write_run_code_or_open_the_network_are_refused():
    instead = {name for namespace, name in INSTEAD if namespace == "callbacks"}
    abstract = {name for name in names("callbacks") if (known := signature("callbacks", name)) and known.abstract}
    admitted = set(names("callbacks")) - refused("callbacks") - instead - abstract
    assert admitted == {"EarlyStopping", "ReduceLROnPlateau", "SwapEMAWeights", "TerminateOnNaN"}


@pytest.mark.parametrize(
    "entry",
    [
        "Lambda: {function: x}",
        "TFSMLayer: {filepath: /tmp/x}",
        "StringLookup: {vocabulary: /etc/hostname}",
        "TimeDistributed: {layer: {Lambda: {function: x}}}",
        "ops.map: 3",
        "ResNet50: {include_top: false, weights: /tmp/evil.h5}",
    ],
)
def test_a_refused_call_is_a_problem_at_its_place(entry: str):
    with pytest.raises(SpecError) as caught:
        load(f"kbuild: 1\nmodel:\n  - {entry}\n")
    problem = caught.value.problems[0]
    assert problem.code == "K107"
    assert problem.span is not None
    assert problem.span.line == 3


def test_trust_lets_them_through():
    assert load("kbuild: 1\nmodel: [{Lambda: {function: x}}]\n", trust=True).name == "spec"
