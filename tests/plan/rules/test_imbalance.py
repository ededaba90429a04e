"""K339: nine to one is said, unless something was done about it."""

import pytest


def table(folder, large, small):
    rows = "".join(f"{i},{'no' if i < large else 'yes'}\n" for i in range(large + small))
    (folder / "t.csv").write_text("a,ill\n" + rows)


SPEC = """
data: {source: {csv: t.csv, target: ill}, split: {validation: 0, test: 0}}
model: [{Dense: {units: 1, activation: sigmoid}}]
train: {%s}
"""


@pytest.mark.parametrize(
    ("large", "small", "fires"), [(90, 10, False), (91, 10, True), (50, 50, False), (10, 91, True)]
)
def test_borders(tell, tmp_path, large, small, fires):
    table(tmp_path, large, small)
    assert [severity for severity, _ in tell("K339", SPEC % "metrics: [accuracy]", tmp_path)] == ["warning"] * fires


@pytest.mark.parametrize(
    "train",
    [
        "class_weight: balanced",
        "class_weight: {yes: 9.0}",
        "metrics: [accuracy, AUC]",
        "metrics: [Precision]",
        "metrics: [{RecallAtPrecision: 0.5}]",
        "loss: BinaryFocalCrossentropy",
    ],
)
def test_what_was_done_about_it(tell, tmp_path, train):
    table(tmp_path, 95, 5)
    assert tell("K339", SPEC % train, tmp_path) == []


def test_folders_are_counted(tell, tmp_path):
    for kind, count in (("cat", 46), ("dog", 5)):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(count):
            (tmp_path / "pets" / kind / f"{number}.txt").write_text("a word")
    text = """
        data: {source: {text: pets, vocabulary: 10}}
        model: [{Embedding: {input_dim: 10, output_dim: 4}}, GlobalAveragePooling1D, {Dense: {units: 1, activation: sigmoid}}]
    """
    ((severity, message),) = tell("K339", text, tmp_path)
    assert severity == "warning"
    assert "46 examples of `cat` and 5 of `dog`" in message
    assert "90%" in message


def test_built_in_sets_are_balanced(tell):
    for name, units in (("digits", 10), ("iris", 3), ("wine", 3)):
        assert tell("K339", f"data: {{source: {name}}}\nmodel: [Flatten, {{Dense: {units}}}]") == []


def test_a_class_without_examples_is_no_small_class(tell, tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    text = """
        data: {source: {csv: t.csv, target: y}, classes: [a, b, c]}
        model: [{Dense: {units: 3, activation: softmax}}]
    """
    assert tell("K339", text, tmp_path) == []
