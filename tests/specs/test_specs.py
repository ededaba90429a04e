"""Every YAML under specs/, found recursively: checked, built, and trained for an epoch if it has data."""

import re
from pathlib import Path

import numpy as np
import pytest

from kbuild.spec.shipped import MODELINE
from kbuild.text.read import read_file

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
DOWNLOADED = dict.fromkeys(("mnist_mlp", "mnist_cnn", "mnist_search", "fashion_mnist_mlp"), (28, 28)) | dict.fromkeys(
    ("cifar10_resnet", "cifar10_vgg"), (32, 32, 3)
)
ARCHITECTURES = {
    "resnet50", "densenet121", "efficientnet_b0", "siamese", "two_inputs_two_outputs", "lstm_encoder_decoder",
}  # fmt: skip
SLOW = {
    "cifar10_resnet", "cifar10_vgg", "digits_autoencoder", "digits_densenet", "digits_denoising_unet",
    "digits_efficientnet", "digits_finetune", "digits_search_cnn", "digits_search_scaling", "digits_transformer",
    "fashion_mnist_mlp",
}  # fmt: skip
TRAINED = [
    # what a search looks through is trained by searches
    pytest.param(path, marks=pytest.mark.full) if path.stem in SLOW or "_search_" in path.stem else path
    for path in SPECS
    if path.stem not in ARCHITECTURES
]


@pytest.fixture
def load(tmp_path):
    """Path → Spec on data that is here: random arrays of the right shape stand in for what Keras would download."""
    from kbuild.spec.load import load

    def loaded(path: Path, *sets: str):
        if path.stem in DOWNLOADED:
            rng = np.random.default_rng(0)
            x = rng.integers(0, 256, (40, *DOWNLOADED[path.stem]), dtype=np.uint8)
            np.savez(tmp_path / "stand_in.npz", x=x, y=np.arange(40, dtype=np.uint8) % 10)
            source = "{npz: stand_in.npz, x: x, y: y, test: {x: x, y: y}}"
            return load(path, sets=[f"data.source={source}", *sets], data_roots=[tmp_path])
        return load(path, sets=list(sets))

    return loaded


def plan(spec):
    from kbuild.plan.check import check

    return check(spec).plan


def test_all_that_must_be_there_is_there():
    assert {path.stem for path in SPECS} >= ARCHITECTURES | set(DOWNLOADED) | {
        "digits_mlp", "digits_cnn", "digits_autoencoder", "digits_denoising_unet", "breast_cancer", "diabetes",
        "iris_4_8_16_8_3", "xor_linear", "xor_mlp", "digits_densenet", "digits_efficientnet", "digits_inception",
        "digits_vae", "digits_transformer",
    }  # fmt: skip


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_opens_with_its_command_and_says_what_it_is(path):
    editors, first, second, third = path.read_text(encoding="utf-8").splitlines()[:4]
    assert editors == MODELINE
    verb = "show" if path.stem in ARCHITECTURES else "tune" if "search" in path.stem else "fit"
    assert first == f"# kbuild {verb} {path.relative_to(ROOT).as_posix()}"
    assert second == "#"
    assert re.match(r"# \w", third)
    if path.stem in ARCHITECTURES:
        assert "An architecture" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_is_named_as_its_file(path):
    assert read_file(path).get("name").value == path.stem


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_checked_without_a_warning(path):
    from kbuild.plan.check import check
    from kbuild.spec.load import load

    checked = check(load(path))
    assert not [p.message for p in checked.problems if p.severity != "hint"]
    assert all(checked.plan.shape(ref) is not None for ref in checked.plan.outputs.values())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_builds_to_the_shapes_and_numbers_of_its_plan(path, load):
    from kbuild.model.build import build
    from kbuild.model.verify import measure
    from kbuild.plan.cost import costs

    network = plan(load(path))
    model = build(network)
    outputs = model.outputs
    assert [tuple(out.shape[1:]) for out in outputs] == [network.shape(ref) for ref in network.outputs.values()]
    found, built = costs(network), measure(network, model)
    assert {name: found.steps[name].params for name in built.params} == built.params
    assert (found.total.params, found.total.trainable) == (built.total, built.trainable)
    open_times = any(None in (given.shape or ()) for given in network.inputs)
    assert (None in (found.total.flops, found.total.kept)) == open_times


def test_mnist_cnn_has_38390_parameters(load):
    from kbuild.model.build import build

    assert build(plan(load(ROOT / "specs/mnist_cnn.yaml"))).count_params() == 38_390


def test_mnist_mlp_falls_from_784_to_10(load):
    from kbuild.model.build import build

    model = build(plan(load(ROOT / "specs/mnist_mlp.yaml")))
    dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"]
    assert [layer.kernel.shape[0] for layer in dense] + [10] == [784, 512, 256, 128, 64, 10]
    rates = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 4


def test_siamese_applies_one_encoder_twice(load):
    from kbuild.model.build import build

    model = build(plan(load(ROOT / "specs/siamese.yaml")))
    rng = np.random.default_rng(0)
    left, right = rng.random((2, 3, 28, 28, 1), dtype="float32")
    there = model.predict({"left": left, "right": right}, verbose=0)
    back = model.predict({"left": right, "right": left}, verbose=0)
    np.testing.assert_allclose(there, back, atol=1e-6)
    assert sum(type(layer).__name__ == "Conv2D" for layer in model.layers) == 2


def test_the_decoder_starts_from_the_states_of_the_encoder(load):
    from kbuild.model.build import build

    model = build(plan(load(ROOT / "specs/lstm_encoder_decoder.yaml")))
    shifted = np.array([[1, 2, 3, 4]], "int32")
    first = model.predict({"source": np.array([[5, 6, 7]], "int32"), "shifted": shifted}, verbose=0)
    second = model.predict({"source": np.array([[9, 8, 7]], "int32"), "shifted": shifted}, verbose=0)
    assert first.shape == (1, 4, 5000)
    assert np.abs(first[:, 0] - second[:, 0]).max() > 0


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_every_spec_that_has_data_trains_an_epoch(path, load, tmp_path):
    from kbuild.train.fit import fit

    batch = 4 if "xor" in path.stem else 20 if path.stem in DOWNLOADED else 512
    spec = load(path, "train.epochs=1", f"data.batch_size={batch}")
    run = fit(spec, out=tmp_path / "run")
    assert (tmp_path / "run" / "model.keras").is_file()
    assert np.isfinite(run.history["loss"][-1])


def test_two_inputs_and_two_outputs_train_from_arrays_by_name(tmp_path):
    from kbuild.spec.load import load
    from kbuild.train.fit import fit

    rng = np.random.default_rng(0)
    labels = np.arange(60) % 10
    np.savez(
        tmp_path / "pairs.npz", xi=rng.random((60, 8, 8, 1), dtype="float32"), xm=rng.random((60, 4), dtype="float32"),
        yd=labels, ye=labels % 2,
    )  # fmt: skip
    text = (ROOT / "specs/two_inputs_two_outputs.yaml").read_text(encoding="utf-8")
    source = re.search(r"'(data\.source=.*)'", text)[1]
    spec = load(
        ROOT / "specs/two_inputs_two_outputs.yaml", sets=[source, "train.epochs=1"], data_roots=[tmp_path]
    )  # fmt: skip
    run = fit(spec, out=tmp_path / "run")
    assert {"digit_accuracy", "even_accuracy", "digit_loss", "even_loss"} <= set(run.history)
