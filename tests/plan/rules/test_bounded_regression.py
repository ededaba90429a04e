"""K335: bounds of the last activation against the range of the targets."""

import numpy as np
import pytest

ONE = "data: {source: {csv: t.csv, target: y}}\nmodel: [{Dense: {units: 1, activation: NAME}}]\n"


def severities(tell, folder, activation, low, high):
    values = np.linspace(low, high, 40).round(4) + 0.0
    (folder / "t.csv").write_text("a,y\n" + "".join(f"{i},{value + 1e-9}\n" for i, value in enumerate(values)))
    return [severity for severity, _ in tell("K335", ONE.replace("NAME", activation), folder)]


@pytest.mark.parametrize(
    ("activation", "low", "high", "expected"),
    [
        ("sigmoid", 0.1, 0.9, []),
        ("sigmoid", 0.1, 1.9, ["warning"]),
        ("sigmoid", 25.5, 346.5, ["error"]),
        ("hard_sigmoid", -3.5, -0.5, ["error"]),
        ("tanh", -0.9, 0.9, []),
        ("tanh", -1.5, 0.9, ["warning"]),
        ("relu", 0.5, 99.5, []),
        ("relu", -0.5, 99.5, ["warning"]),
        ("relu", -9.5, -0.5, ["error"]),
        ("softplus", -0.5, 99.5, ["warning"]),
        ("linear", -0.5, 99.5, []),
        ("leaky_relu", -0.5, 99.5, []),
    ],
)
def test_what_can_be_reached(tell, tmp_path, activation, low, high, expected):
    assert severities(tell, tmp_path, activation, low, high) == expected


def test_a_layer_of_its_own_counts(tell):
    text = "data: {source: diabetes}\nmodel: [{Dense: 1}, {Activation: sigmoid}]"
    assert tell("K335", text)[0][0] == "error"
    assert tell("K335", text.replace("{Activation: sigmoid}", "ReLU")) == []


def test_a_range_that_is_not_known_is_a_hint(tell, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((40, 4), "float32"), y=np.zeros(40, "float32"))
    text = "data: {source: {npz: a.npz, x: x, y: y}}\nmodel: [{Dense: {units: 1, activation: sigmoid}}]"
    assert [severity for severity, _ in tell("K335", text, tmp_path)] == ["hint"]


def test_what_is_read_for_training_tells_the_range(tmp_path):
    from kbuild.data.load import load as read
    from kbuild.plan.check import check
    from kbuild.spec.load import load
    from kbuild.text.problem import SpecError

    np.savez(tmp_path / "a.npz", x=np.zeros((40, 4), "float32"), y=np.linspace(25, 346, 40, dtype="float32"))
    text = "kbuild: 1\ndata: {source: {npz: a.npz, x: x, y: y}}\nmodel: [{Dense: {units: 1, activation: sigmoid}}]\n"
    spec = load(text, data_roots=[tmp_path])
    with pytest.raises(SpecError) as caught:
        check(spec, read(spec.data, 0).header)
    assert [problem.code for problem in caught.value.problems] == ["K335"]


def test_pictures_to_give_back_have_bounds_of_their_own(tell):
    text = """
        data: {source: digits, target: input, preprocess: [{Rescaling: "${1 / 16}"}]}
        model: [Flatten, {Dense: {units: 64, activation: sigmoid}}, {Reshape: [8, 8, 1]}]
    """
    assert tell("K335", text) == []
