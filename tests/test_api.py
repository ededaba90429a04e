"""The Python API, as README shows it."""

from pathlib import Path

import pytest

import kbuild

SPEC = """kbuild: 1
name: tiny
data: {source: iris, batch_size: 16}
model:
  - {Dense: {units: 16, activation: relu}}
  - {Dense: {units: 3, activation: softmax}, name: kind}
train: {optimizer: {Adam: 1e-2}, epochs: 9, schedule: {cosine: {to: 1e-4}}}
"""


@pytest.fixture
def spec(tmp_path: Path) -> kbuild.Spec:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPEC)
    return kbuild.load(path, overrides={"train.epochs": 2})


def test_overrides_change_the_spec(spec):
    assert spec.train.epochs == 2


def test_check_returns_problems_instead_of_raising(spec, tmp_path):
    assert [problem for problem in kbuild.check(spec) if problem.severity != "hint"] == []
    wrong = kbuild.load(tmp_path / "tiny.yaml", overrides={"model.layers.kind.units": 4})
    (problem,) = kbuild.check(wrong)
    assert isinstance(problem, kbuild.Problem)
    assert problem.message == "the output `kind` has 4 units and the data have 3 classes"
    assert problem.help == "give the last layer 3 units"


def test_a_plan_prints_as_a_table(spec):
    plan = kbuild.plan(spec)
    assert isinstance(plan, kbuild.Plan)
    assert str(plan).split("\n") == [
        "layer  call               from  output  parameters   share  FLOPs",
        "input  Input                    (4,)",
        "dense  Dense(16, relu)    ↑     (16,)           80  61.1 %    160",
        "kind   Dense(3, softmax)  ↑     (3,)            51  38.9 %    114",
    ]


def test_the_room_called_plan_can_still_be_imported(spec):
    import kbuild.plan.expand
    from kbuild.plan.check import check

    assert kbuild.plan(spec) == check(spec).plan
    assert kbuild.plan.expand.expand(spec, check(spec).header) == check(spec).plan


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module `kbuild` has no attribute `fitt`"):
        _ = kbuild.fitt


def test_build_compile_and_fit(spec, tmp_path):
    model = kbuild.build(spec)
    assert model.count_params() == 4 * 16 + 16 + 16 * 3 + 3
    assert [layer.name for layer in model.layers] == ["input", "dense", "kind"]
    assert kbuild.compile(model, spec) is model
    assert type(model.optimizer).__name__ == "Adam"
    run = kbuild.fit(spec, out=tmp_path / "run")
    assert isinstance(run, kbuild.Run)
    assert (run.status, run.epochs, run.path) == ("done", 2, tmp_path / "run")
    assert len(run.history["loss"]) == 2
    assert run.model.count_params() == model.count_params()
