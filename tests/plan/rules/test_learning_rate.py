"""K336: rates that no published recipe has."""

import pytest

IRIS = "data: {source: iris}\nmodel: [{Dense: {units: 3, activation: softmax}}]\n"


def rates(tell, train):
    return tell("K336", f"{IRIS}train: {train}")


@pytest.mark.parametrize(
    ("optimizer", "fires"),
    [
        ("{Adam: 0.5}", False),
        ("{Adam: 0.51}", True),
        ("{Adam: 10}", True),
        ("{Adam: 1e-8}", False),
        ("{Adam: 1e-9}", True),
        ("{AdamW: 1.0}", True),
        ("{RAdam: 1.0}", True),
        ("{SGD: 30}", False),
        ("{SGD: 1000}", True),
        ("{SGD: 1e-11}", True),
        ("{RMSprop: 0.256}", False),
        ("{Adagrad: 20}", True),
        ("{Adadelta: 1.0}", False),
        ("{Lookahead: {optimizer: {Adam: 3}}}", True),
        ("{Lookahead: {optimizer: {Adam: 1e-3}}}", False),
        ("{Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 2.0, decay_steps: 100}}}}", True),
        ("{Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 2e-3, decay_steps: 100}}}}", False),
    ],
)
def test_borders(tell, optimizer, fires):
    assert bool(rates(tell, f"{{optimizer: {optimizer}}}")) is fires


# (paper, optimizer): the largest and the smallest rates that are well known
@pytest.mark.parametrize(
    "optimizer",
    [
        "{SGD: {learning_rate: 0.1, momentum: 0.9, weight_decay: 1e-4}}",  # ResNet, arXiv:1512.03385
        "{SGD: {learning_rate: 3.2, momentum: 0.9}}",  # batches of 8,192, arXiv:1706.02677
        "{SGD: 30}",  # AWD-LSTM, arXiv:1708.02182
        "{SGD: {learning_rate: 1e-10, momentum: 0.99}}",  # FCN, arXiv:1411.4038
        "{AdamW: {learning_rate: 3e-3, weight_decay: 0.3}}",  # ViT, arXiv:2010.11929
        "{AdamW: {learning_rate: 4e-3, weight_decay: 0.05}}",  # ConvNeXt, arXiv:2201.03545
        "{Adam: 2e-5}",  # BERT, arXiv:1810.04805
        "{RMSprop: {learning_rate: 0.256, rho: 0.9, momentum: 0.9, epsilon: 1e-3}}",  # EfficientNet, arXiv:1905.11946
        "{RMSprop: {learning_rate: 0.045, rho: 0.9, epsilon: 1.0}}",  # Inception-v3, arXiv:1512.00567
        "{Adadelta: {learning_rate: 1.0, rho: 0.95}}",  # arXiv:1212.5701
        "{Lion: {learning_rate: 1e-4, weight_decay: 10}}",  # arXiv:2302.06675
        "{Lamb: {learning_rate: 0.00176, weight_decay: 0.01}}",  # arXiv:1904.00962
        "{SGD: {learning_rate: 0.5, momentum: 0.9, weight_decay: 2e-5}}",  # torchvision's recipe
        "{Adam: 1e-3}", "{Nadam: 2e-3}", "{Adamax: 2e-3}", "Adafactor", "Ftrl", "Muon", "{Muon: 0.05}",
    ],
)  # fmt: skip
def test_published_recipes_pass(tell, optimizer):
    assert rates(tell, f"{{optimizer: {optimizer}}}") == []


def test_every_default_of_keras_passes(tell):
    from kbuild.spec.signature import names, signature

    for name in names("optimizers"):
        found = signature("optimizers", name)
        if not found.abstract and not any(p.required for p in found.parameters):
            assert rates(tell, f"{{optimizer: {name}}}") == [], name


@pytest.mark.parametrize(
    ("schedule", "fires"),
    [
        ("{one_cycle: {peak: 0.4}}", False),
        ("{one_cycle: {peak: 4}}", True),
        ("{piecewise: {at: [50%], values: [0.1, 0.01]}}", False),
        ("{piecewise: {at: [50%], values: [7.0, 0.01]}}", True),
        ("{cosine: {to: 0}}", False),
        ("{ExponentialDecay: {initial_learning_rate: 5.0, decay_steps: 10, decay_rate: 0.9}}", True),
    ],
)
def test_the_highest_rate_of_a_schedule_counts(tell, schedule, fires):
    assert bool(rates(tell, f"{{optimizer: {{Adam: 1e-3}}, schedule: {schedule}}}")) is fires


def test_decay_times_rate(tell):
    assert rates(tell, "{optimizer: {AdamW: {learning_rate: 0.1, weight_decay: 0.9}}}") == []
    assert rates(tell, "{optimizer: {AdamW: {learning_rate: 0.1, weight_decay: 1.0}}}") == [
        ("warning", "each step takes 10% off every weight: `weight_decay` 1 times the rate 0.1")
    ]
