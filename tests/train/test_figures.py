import numpy as np
import pytest
from PIL import Image

from kbuild.train import figures


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_curves_of_one_epoch_and_of_many(tmp_path):
    columns = {"epoch": [1.0], "seconds": [1.0], "learning_rate": [0.1], "loss": [1.0], "val_loss": [2.0]}
    figures.curves(tmp_path / "a.png", columns, 1)
    figures.curves(tmp_path / "b.png", {name: values * 9 for name, values in columns.items()}, None)
    for name in ("a.png", "b.png"):
        shown = {tuple(color) for color in pixels(tmp_path / name).reshape(-1, 3)}
        assert (0x1F, 0x77, 0xB4) in shown
        assert (0xD9, 0x5F, 0x02) in shown
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("count", [2, 60])
def test_a_confusion_matrix_of_few_and_of_many_classes(tmp_path, count):
    figures.confusion(tmp_path / "c.png", np.eye(count, dtype="int64"), [f"class {n}" for n in range(count)], "t")
    shown = pixels(tmp_path / "c.png")
    dark = (shown == (8, 48, 107)).all(axis=2).mean()
    assert dark > 0.2 / count


@pytest.mark.parametrize("shape", [(5, 5), (5, 5, 1), (5, 5, 3)])
def test_pictures_of_any_range(tmp_path, shape):
    images = [np.full(shape, 7.0), np.linspace(-3, 900, int(np.prod(shape))).reshape(shape)]
    figures.pictures(tmp_path / "p.png", images, ["one", "two"])
    assert pixels(tmp_path / "p.png").std() > 10


def test_scatter(tmp_path):
    figures.scatter(tmp_path / "s.png", np.arange(5.0), np.arange(5.0)[:, None], "t")
    assert pixels(tmp_path / "s.png").min() < 200


def test_inside_undrawn_there_are_no_pictures(tmp_path):
    file = tmp_path / "curves.png"
    with figures.undrawn():
        figures.curves(file, {"epoch": [1, 2], "loss": [2.0, 1.0], "learning_rate": [0.1, 0.1]}, 2)
    assert not file.exists()
    figures.curves(file, {"epoch": [1, 2], "loss": [2.0, 1.0], "learning_rate": [0.1, 0.1]}, 2)
    assert file.exists()
