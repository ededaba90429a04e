import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from kbuild.train import events
from kbuild.train.tensorboard import Board


def model():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dense(3, name="hidden")(inputs)))


def row(epoch):
    return {"epoch": epoch, "seconds": 0.5, "learning_rate": 0.1 / epoch, "loss": 1.0 / epoch, "val_loss": 2.0 / epoch}


def read(path):
    found = event_accumulator.EventAccumulator(str(path), size_guidance={"tensors": 0, "scalars": 0, "images": 0})
    found.Reload()
    return found


@pytest.fixture
def board(tmp_path):
    made = Board(tmp_path, histograms=2)
    net = model()
    made.begin("kbuild: 1\nname: net\n", net, {"optimizer": "Adam", "learning_rate": 0.1, "seed": 3, "ema": True})
    for epoch in (1, 2, 3):
        made.epoch(row(epoch), net)
    made.best({"val_loss": 0.5}, {"loss": 0.6})
    made.end(True)
    return tmp_path


def test_training_and_validation_have_one_tag(board):
    for part, factor in (("train", 1.0), ("validation", 2.0)):
        points = read(board / part).Scalars("epoch_loss")
        assert [point.step for point in points] == [1, 2, 3]
        assert [point.value for point in points] == pytest.approx([factor, factor / 2, factor / 3])
    assert [p.value for p in read(board / "train").Scalars("epoch_learning_rate")] == pytest.approx(
        [0.1, 0.05, 0.1 / 3]
    )


def test_histograms_come_when_asked_for(board):
    found = read(board / "train")
    points = found.Tensors("hidden/kernel")
    assert [point.step for point in points] == [2]
    tensor = points[0].tensor_proto
    assert [dim.size for dim in tensor.tensor_shape.dim] == [30, 3]
    assert sum(tensor.double_val[2::3]) == 12
    assert found.summary_metadata["hidden/kernel"].plugin_data.plugin_name == "histograms"


def test_spec_and_network_are_text(board):
    found = read(board)
    assert found.Tensors("spec")[0].tensor_proto.string_val[0] == b"```yaml\nkbuild: 1\nname: net\n\n```"
    assert b"hidden" in found.Tensors("network")[0].tensor_proto.string_val[0]
    assert found.summary_metadata["spec"].plugin_data.plugin_name == "text"


def test_hyperparameters_and_the_best_value(board):
    found = read(board)
    assert found.Scalars("best/val_loss")[0].value == 0.5
    assert found.Scalars("test/loss")[0].value == pytest.approx(0.6)

    def content(tag):
        data = found.summary_metadata[tag].plugin_data
        assert data.plugin_name == "hparams"
        return plugin_data_pb2.HParamsPluginData.FromString(data.content)

    values = content("_hparams_/session_start_info").session_start_info.hparams
    assert values["optimizer"].string_value == "Adam"
    assert values["seed"].number_value == 3
    assert values["ema"].bool_value is True
    # one that a run describes would hide the columns of all the others
    assert "_hparams_/experiment" not in found.summary_metadata
    assert content("_hparams_/session_end_info").session_end_info.status == 1


def test_what_was_written_before_a_crash_is_there(tmp_path):
    made = Board(tmp_path)
    made.epoch(row(1), model())
    assert [p.value for p in read(tmp_path / "train").Scalars("epoch_loss")] == [1.0]
    made.close()
    made.close()


def test_pictures(tmp_path):
    from kbuild.train import figures

    file = tmp_path / "c.png"
    figures.confusion(file, np.eye(2, dtype="int64"), ["a", "b"], "t")
    made = Board(tmp_path / "tb")
    made.picture("confusion", file)
    made.close()
    (image,) = read(tmp_path / "tb").Images("confusion")
    assert image.encoded_image_string == file.read_bytes()
    assert image.width > 100


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("a/b_c-1.x", "a/b_c-1.x"),
        ("{epoch}\n\x1b[31m", "_epoch____31m"),
        ("/../x ", "../x"),
        ("", "_"),
        ("größe", "gr__e"),
    ],
)
def test_tags_are_clean(tag, expected):
    assert events.clean(tag) == expected


def test_no_tensorflow_is_imported_for_it():
    import os
    import subprocess
    import sys

    code = "import sys, kbuild.train.events; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=env).returncode == 0
