"""The `train` section: what it takes, what it refuses, and in which words."""

import pytest

from kbuild.spec.call import Call
from kbuild.spec.hole import Hole
from kbuild.spec.load import load
from kbuild.spec.phases import KEYS
from kbuild.spec.train import Budget, Cosine, EarlyStopping, Plateau, Train
from kbuild.text.node import Node
from kbuild.text.problem import Problem, SpecError


def train(text: str):
    return load(f"kbuild: 1\nmodel: [{{Dense: 10}}]\ntrain:\n  {text}\n").train


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        train(text)
    return caught.value.problems


def test_without_a_section_there_are_defaults():
    found = load("kbuild: 1\nmodel: [{Dense: 10}]\n").train
    assert (found.optimizer.name, found.loss, found.epochs, found.seed) == ("Adam", "auto", 10, 0)


def test_an_optimizer_by_identifier_is_the_class():
    assert train("optimizer: adam").optimizer == Call("optimizers", "Adam")
    assert train("optimizer: radam").optimizer == Call("optimizers", "RAdam")


def test_a_lone_value_is_the_first_argument():
    assert train("optimizer: {AdamW: 1e-3}").optimizer == Call("optimizers", "AdamW", {"learning_rate": 1e-3})


def test_calls_stand_in_arguments():
    made = train("optimizer: {Lookahead: {optimizer: {Adam: 1e-3}}}").optimizer
    assert made.args["optimizer"] == Call("optimizers", "Adam", {"learning_rate": 1e-3})


def test_losses_and_metrics_by_output():
    found = train("{loss: {digit: mse, parity: null}, metrics: {digit: [accuracy, {Precision: {thresholds: 0.7}}]}}")
    assert found.loss == {"digit": Call("identifier", "mse"), "parity": None}
    assert found.metrics == {
        "digit": (Call("identifier", "accuracy"), Call("metrics", "Precision", {"thresholds": 0.7}))
    }


def test_schedules_in_epochs_and_percent():
    found = train("schedule: {cosine: {to: 1e-6, warmup: 3 epochs}}").schedule
    assert found == Cosine(to=1e-6, warmup="3 epochs")
    assert train("schedule: {linear: {warmup: 10%}}").schedule.warmup == "10 percent"
    assert train("schedule: plateau").schedule == Plateau()
    assert train(
        "schedule: {ExponentialDecay: {initial_learning_rate: 0.1, decay_steps: 10, decay_rate: 0.5}}"
    ).schedule == Call(
        "schedules", "ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}
    )


def test_a_bootstrap_is_asked_for():
    assert (train("epochs: 1").bootstrap, train("bootstrap: true").bootstrap) == (False, True)
    assert train("{bootstrap: true, repeats: 5}").repeats == 5


def test_sections_are_switched_off_with_false_and_on_with_true():
    assert train("{early_stopping: true, tensorboard: false}").early_stopping == EarlyStopping()
    assert train("{early_stopping: false, tensorboard: false}").tensorboard is None
    assert (train("epochs: 1").health, train("health: false").health) == (True, False)


@pytest.mark.parametrize(
    ("written", "count"),
    [("16 GB", 16 * 10**9), ("16 GiB", 16 * 2**30), ("512MB", 512 * 10**6), ("1.5 kib", 1536), ("1e9", 10**9), ("7", 7),
     ("2 TB", 2 * 10**12), ("3 B", 3)],
)  # fmt: skip
def test_a_budget_of_memory_is_bytes(written: str, count: int):
    assert train(f"budget: {{memory: {written}}}").budget == Budget(memory=count)


def test_a_budget_is_optional_in_each_part():
    assert load("kbuild: 1\nmodel: [{Dense: 10}]\n").train.budget is None
    assert train("budget: {params: 1e9, flops: 50000000000}").budget == Budget(params=1e9, flops=5 * 10**10)
    assert train("budget: false").budget is None


@pytest.mark.parametrize(
    ("text", "code", "message", "help"),
    [
        ("optimiser: adam", "K101", "`train` has no key `optimiser`", "did you mean `optimizer`?"),
        ("optimizer: Adm", "K102", "there is no optimizer `Adm`", "did you mean `Adam`?"),
        ("optimizer: {Adam: -1.0}", "K105", "`learning_rate` of `Adam` must be above 0, not -1", None),
        ("optimizer: {Adam: true}", "K105", "`learning_rate` of `Adam` takes a number, not `true`", None),
        ("epochs: -3", "K105", "`train.epochs`: must be at least 1, not `-3`", None),
        ("epochs: true", "K105", "`train.epochs`: must be an integer, not `true`", None),
        ("metrics: [accurcy]", "K106", "there is no metric `accurcy`", "did you mean `accuracy`?"),
        ("loss: sparse_crossentropy", "K106", "there is no loss `sparse_crossentropy`",
         "did you mean `binary_crossentropy`?"),
        ("schedule: {cosin: {}}", "K102", "there is no schedule `cosin`", "did you mean `cosine`?"),
        ("early_stopping: {monitr: loss}", "K101", "`train.early_stopping` has no key `monitr`", "did you mean `monitor`?"),
        ("class_weight: {a: -1}", "K105", "`train.class_weight.a`: must be at least 0, not `-1`", None),
        ("budget: {memory: 16 XB}", "K105", "`train.budget.memory`: `16 XB` is no amount of memory",
         "write `16 GB`, `512 MiB` or a number of bytes"),
        ("budget: {memory: -1 GB}", "K105", "`train.budget.memory`: `-1 GB` is no amount of memory",
         "write `16 GB`, `512 MiB` or a number of bytes"),
        ("budget: {params: 0}", "K105", "`train.budget.params`: must be above 0, not `0`", None),
        ("budget: {flops: many}", "K105", "`train.budget.flops`: must be a number, not `many`", None),
        ("budget: {parms: 1}", "K101", "`train.budget` has no key `parms`", "did you mean `params`?"),
        ("budget: 3", "K105", "`train.budget` is a map or `false`, not `3`",
         "write `budget: {…}` with `params`, `flops`, `memory`"),
        ("accumulate: 0", "K105", "`train.accumulate`: must be at least 1, not `0`", None),
        ("accumulate: true", "K105", "`train.accumulate`: must be an integer, not `true`", None),
        ("{accumulate: 2, optimizer: {Adam: {gradient_accumulation_steps: 4}}}", "K153",
         "`train.accumulate` and `gradient_accumulation_steps` of `Adam` both accumulate gradients",
         "keep `train.accumulate`"),
        ("bootstrap: 5", "K105", "`train.bootstrap`: must be `true` or `false`, not `5`", None),
        ("{bootstrp: true}", "K101", "`train` has no key `bootstrp`", "did you mean `bootstrap`?"),
        ("phases: [{bootstrap: true}]", "K152", "`bootstrap` belongs to the whole run, not to a phase",
         "write it under `train`; a phase may say `epochs`, `trainable`, `optimizer`, `schedule`, `early_stopping`, "
         "`accumulate`, `class_weight` or `callbacks`"),
        ("distribute: model_parallel", "K105",
         "`train.distribute`: must be 'none' or 'data_parallel', not `model_parallel`", None),
        ("distribute: true", "K105", "`train.distribute`: must be 'none' or 'data_parallel', not `true`", None),
        ("trainable: {backbone: false}", "K152", "`trainable` is said of an entry, or in a phase",
         "write `trainable: false` beside the entry, and `trainable: {entry: true}` in the phase that thaws it"),
        ("phases: {epochs: 1}", "K105", "`train.phases` is a list of phases, not `{epochs: 1}`",
         "write `phases: [{epochs: 5}, {epochs: 10}]`"),
        ("phases: [5]", "K105", "`train.phases.0` is a map, not `5`", "write `{epochs: 5}`"),
        ("phases: [{}, {epochs: 0}]", "K105", "`train.phases.1.epochs`: must be at least 1, not `0`", None),
        ("phases: [{epoch: 3}]", "K101", "`train.phases.0` has no key `epoch`", "did you mean `epochs`?"),
        ("phases: [{phases: []}]", "K152", "`phases` belongs to the whole run, not to a phase",
         "a phase has no phases"),
        ("phases: [{trainable: {head: 3}}]", "K105",
         "`train.phases.0.trainable.head` is `true`, `false` or a list of patterns of names, not `3`",
         "write `true` or `[block7*]`"),
        ("phases: [{trainable: head}]", "K105", "`train.phases.0.trainable` is a map by entry, not `head`",
         "write `trainable: {backbone: true}`"),
        ("{schedule: cosine, phases: [{}, {optimizer: {Adam: {CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9}}}}]}",
         "K151", "`train.phases.1.schedule` and a schedule as `learning_rate` both steer the learning rate",
         "keep one of them"),
        ("{epochs: 0, phases: [{epochs: 3}, {}]}", "K105", "`train.epochs`: must be at least 1, not `0`", None),
        ("health: 3", "K105", "`train.health`: must be `true` or `false`, not `3`", None),
        ("callbacks: [TensorBoard]", "K107", "`TensorBoard` has no place in a spec",
         "write `train.tensorboard`, which works on every backend"),
        ("{callbacks: [ReduceLROnPlateau], schedule: cosine}", "K151",
         "`ReduceLROnPlateau` and `train.schedule` both steer the learning rate", "keep one of them"),
    ],
)  # fmt: skip
def test_mistakes(text: str, code: str, message: str, help: str | None):
    found = problems(text)
    assert [(p.code, p.message, p.help) for p in found] == [(code, message, help)]
    assert found[0].span is not None
    assert found[0].span.line == 4


def test_two_schedules_are_an_error():
    rate = "{CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9}}"
    found = problems(f"{{schedule: cosine, optimizer: {{SGD: {{learning_rate: {rate}}}}}}}")
    assert found[0].message == "`train.schedule` and a schedule as `learning_rate` both steer the learning rate"


def test_a_schedule_inside_a_wrapped_optimizer_counts():
    rate = "{CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9}}"
    found = problems(f"{{callbacks: [ReduceLROnPlateau], optimizer: {{Lookahead: {{optimizer: {{SGD: {rate}}}}}}}}}")
    assert [p.message for p in found] == [
        "`ReduceLROnPlateau` and a schedule as `learning_rate` both steer the learning rate"
    ]


def test_all_mistakes_come_at_once():
    assert [p.code for p in problems("{epochs: 0, loss: nope, batch: 3}")] == ["K106", "K105", "K101"]


def test_a_phase_is_the_section_with_what_it_says_laid_over_it():
    found = train(
        "{optimizer: {Adam: {learning_rate: 1e-3, clipnorm: 1.0}}, schedule: cosine, early_stopping: {patience: 3}, "
        "phases: [{epochs: 4}, {epochs: 9, optimizer: {Adam: 1e-5}, schedule: false, early_stopping: {min_delta: 0.1}, "
        "trainable: {backbone: true, head: [a*]}}, {optimizer: {SGD: 0.1}}]}"
    )
    first, second, third = found.phases
    assert (first.epochs, second.epochs, third.epochs, found.length) == (4, 9, 10, 23)
    assert first.optimizer == found.optimizer
    assert second.optimizer == Call("optimizers", "Adam", {"learning_rate": 1e-5, "clipnorm": 1.0})
    assert third.optimizer == Call("optimizers", "SGD", {"learning_rate": 0.1})
    assert (first.schedule, second.schedule) == (Cosine(), None)
    assert second.early_stopping == EarlyStopping(patience=3, min_delta=0.1)
    assert (first.trainable, second.trainable) == (None, {"backbone": True, "head": ("a*",)})
    assert found.parts == found.phases
    assert first.parts == (first,)


@pytest.mark.parametrize("off", ["[]", "false", "null"])
def test_phases_are_switched_off(off: str):
    assert train(f"phases: {off}").parts == (train("epochs: 10"),)
    assert train("accumulate: false").accumulate == 1
    assert train("distribute: data_parallel").distribute == "data_parallel"
    assert train("distribute: false").distribute == train("epochs: 1").distribute == "none"


def test_a_hole_in_a_phase_has_a_path_of_its_own():
    seen: list[str] = []

    def choose(path: str, hole: Hole) -> Node:
        seen.append(path)
        return hole.default

    text = "optimizer: {Adam: {$float: [1e-4, 1e-2]}}\n  phases: [{}, {optimizer: {Adam: {$float: [1e-6, 1e-4]}}}]"
    found = load(f"kbuild: 1\nmodel: [{{Dense: 10}}]\ntrain:\n  {text}\n", choose=choose).train
    assert seen == ["train.optimizer.Adam", "train.phases.1.optimizer.Adam"]
    assert [part.optimizer.args["learning_rate"] for part in found.parts] == [1e-4, 1e-6]


def test_what_a_phase_may_not_say_is_every_other_key():
    for key in set(Train.model_fields) - set(KEYS):
        (problem,) = problems(f"phases: [{{{key}: false}}]")
        assert (problem.code, problem.path) == ("K152", f"train.phases.0.{key}")


def test_a_setting_reaches_a_phase_by_its_number():
    text = "kbuild: 1\nmodel: [{Dense: 10}]\ntrain: {phases: [{epochs: 2}, {epochs: 3, trainable: {a: true}}]}\n"
    found = load(text, {"train.phases.1.epochs": 7}).train
    assert ([part.epochs for part in found.phases], found.phases[1].trainable) == ([2, 7], {"a": True})
    with pytest.raises(SpecError) as caught:
        load(text, sets=["train.phases.2.epochs=7"])
    assert [(p.code, p.message) for p in caught.value.problems] == [("K111", "there is no phase `2`: they are 0 and 1")]
