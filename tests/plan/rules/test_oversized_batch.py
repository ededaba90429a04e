"""K332: batches larger than what the split leaves."""

MODEL = "model: [{Dense: {units: 3, activation: softmax}}]\n"


def test_borders(tell):
    assert tell("K332", f"data: {{source: iris, batch_size: 120}}\n{MODEL}") == []
    assert tell("K332", f"data: {{source: iris, batch_size: 121}}\n{MODEL}") == [
        ("warning", "a batch holds 121 examples and there are 120 to train on: an epoch is one step")
    ]


def test_the_split_counts(tell):
    split = "split: {validation: 100, test: 0.2}"
    assert tell("K332", f"data: {{source: iris, {split}, batch_size: 20}}\n{MODEL}") == []
    assert tell("K332", f"data: {{source: iris, {split}, batch_size: 21}}\n{MODEL}")[0][0] == "warning"


def test_a_default_that_no_one_wrote_is_a_hint(tell):
    assert tell("K332", f"data: {{source: iris, split: {{test: 130}}}}\n{MODEL}")[0][0] == "hint"


def test_counts_that_are_not_known(tell, tmp_path):
    import numpy as np

    np.savez(tmp_path / "a.npz", x=np.zeros((40, 4), "float32"), y=np.arange(40, dtype="int64") % 3)
    npz = "data: {source: {npz: a.npz, x: x, y: y}, batch_size: SIZE}\n" + MODEL
    assert tell("K332", npz.replace("SIZE", "32"), tmp_path) == []
    assert tell("K332", npz.replace("SIZE", "33"), tmp_path)[0][0] == "warning"
    assert tell("K332", "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: 3}]}\ntrain: {loss: mse}") == []
