"""The `train` section: what it takes, what it refuses, and in which words."""

import pytest

from kbuild.spec.call import Call
from kbuild.spec.load import load
from kbuild.spec.train import Budget, Cosine, EarlyStopping, Plateau
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


def test_sections_are_switched_off_with_false_and_on_with_true():
    assert train("{early_stopping: true, tensorboard: false}").early_stopping == EarlyStopping()
    assert train("{early_stopping: false, tensorboard: false}").tensorboard is None


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
        ("phases: [{epochs: 1}]", "K190", "`train.phases` is not supported by this version of kbuild", "leave it out"),
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
