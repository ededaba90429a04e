"""`preprocess: auto` scales as the application itself says, inside the model."""

import keras
import numpy as np
import pytest

from kbuild.data.header import Header, Tensor
from kbuild.model.build import build, features
from kbuild.plan.expand import expand
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

HEADER = Header({"input": Tensor((32, 32, 3), "uint8")})


@pytest.mark.parametrize(("name", "module"), [("MobileNetV2", "mobilenet_v2"), ("ResNet50", "resnet")])
def test_it_is_the_application_s_own(name: str, module: str):
    spec = load(
        f"kbuild: 1\ndata: {{source: cifar10, preprocess: auto}}\nmodel:\n"
        f"  - {name}: {{include_top: false, weights: null}}\n  - GlobalAveragePooling2D\n"
    )
    plan = expand(spec, HEADER)
    scaled = features(build(plan), plan)
    assert scaled is not None
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
    wanted = getattr(keras.applications, module).preprocess_input(pictures.copy())
    np.testing.assert_allclose(keras.ops.convert_to_numpy(scaled(pictures)), wanted, rtol=1e-5, atol=1e-4)


def test_without_an_application_it_says_what_is_missing():
    with pytest.raises(SpecError, match=r"needs one model of `keras\.applications` in the chain, not none"):
        load("kbuild: 1\ndata: {source: cifar10, preprocess: auto}\nmodel: [{Dense: 10}]\n")
