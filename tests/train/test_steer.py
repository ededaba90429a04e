"""steer: the place of the learning rate. Every path is tried with `--set`: it must reach the rate and nothing else."""

import pytest

import kbuild
from kbuild.spec.call import Call
from kbuild.train import steer

SPEC = (
    "kbuild: 1\nname: rate\ndata: {{source: iris}}\nmodel: [{{Dense: {{units: 3, activation: softmax}}}}]\ntrain: {}\n"
)
ADAM = "train.optimizer.Adam.learning_rate"


def rate(optimizer: Call) -> object:
    """The number that an optimizer, or the one inside it, starts from."""
    inner = optimizer.args.get("optimizer")
    if isinstance(inner, Call):
        return rate(inner)
    found = optimizer.args["learning_rate"]
    return found.args["initial_learning_rate"] if isinstance(found, Call) else found


@pytest.mark.parametrize(("train", "path"), [
    ("{}", ADAM),
    ("{optimizer: adam}", ADAM),
    ("{optimizer: Adam, schedule: cosine}", ADAM),
    ("{optimizer: {Adam: 1e-3}, schedule: {plateau: {monitor: loss}}}", ADAM),
    ("{optimizer: {Adam: {clipnorm: 1.0}}, schedule: one_cycle}", ADAM),
    ("{optimizer: {SGD: {momentum: 0.9}}}", "train.optimizer.SGD.learning_rate"),
    ("{optimizer: {Lookahead: rmsprop}}", "train.optimizer.Lookahead.optimizer.RMSprop.learning_rate"),
    ("{optimizer: {Lookahead: {optimizer: {Adam: {beta_1: 0.8}}, sync_period: 5}}}",
     "train.optimizer.Lookahead.optimizer.Adam.learning_rate"),
    ("{optimizer: {Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9}}}}}",
     "train.optimizer.Adam.learning_rate.CosineDecay.initial_learning_rate"),
    ("{phases: [{epochs: 1}, {optimizer: sgd}]}", ADAM),
])  # fmt: skip
def test_the_path_reaches_the_rate(train, path):
    text = SPEC.format(train)
    before = kbuild.load(text).train
    assert steer.path(before) == path
    after = kbuild.load(text, overrides={path: 0.0123}).train
    assert rate(after.optimizer) == 0.0123
    others = {key: value for key, value in before.optimizer.args.items() if key not in ("learning_rate", "optimizer")}
    assert others.items() <= after.optimizer.args.items()


@pytest.mark.parametrize(("schedule", "path", "read"), [
    ("{one_cycle: {peak: 0.1}}", "train.schedule.one_cycle.peak", lambda train: train.schedule.peak),
    ("{CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9}}", "train.schedule.CosineDecay.initial_learning_rate",
     lambda train: train.schedule.args["initial_learning_rate"]),
])  # fmt: skip
def test_the_rate_of_a_schedule_of_its_own(schedule, path, read):
    text = SPEC.format(f"{{schedule: {schedule}}}")
    assert steer.path(kbuild.load(text).train) == path
    assert read(kbuild.load(text, overrides={path: 0.0123}).train) == 0.0123


@pytest.mark.parametrize("train", [
    "{schedule: {piecewise: {at: [50%], values: [0.1, 0.01]}}}",
    "{schedule: {PiecewiseConstantDecay: {boundaries: [5], values: [0.1, 0.01]}}}",
    "{phases: [{epochs: 1, optimizer: sgd}, {epochs: 1}]}",
])  # fmt: skip
def test_several_rates_have_no_path(train):
    assert steer.path(kbuild.load(SPEC.format(train)).train) is None


@pytest.mark.parametrize(("train", "name"), [
    ("{}", None), ("{schedule: cosine}", "cosine"), ("{schedule: plateau}", "plateau"),
    ("{callbacks: [ReduceLROnPlateau]}", "ReduceLROnPlateau"),
    ("{schedule: {CosineDecay: {initial_learning_rate: 0.1, decay_steps: 9}}}", "CosineDecay"),
    ("{optimizer: {Lookahead: {Adam: {learning_rate: {ExponentialDecay: {initial_learning_rate: 0.1, decay_steps: 9, "
     "decay_rate: 0.5}}}}}}", "ExponentialDecay"),
])  # fmt: skip
def test_what_changes_the_rate_is_named_and_left_out(train, name):
    read = kbuild.load(SPEC.format(train)).train
    assert steer.scheduled(read) == name
    flat = steer.constant(read, 1e-7)
    assert steer.scheduled(flat) is None
    assert rate(flat.optimizer) == 1e-7
