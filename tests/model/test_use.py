import keras
import numpy as np
import pytest

from kbuild.model import use
from kbuild.model.objects import make
from kbuild.spec.call import Call
from kbuild.text.problem import SpecError

TWICE = """
import keras
from keras.layers import Dense

class Twice(keras.layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
    def call(self, x):
        return x * self.factor
    def get_config(self):
        return {**super().get_config(), "factor": self.factor}

class _Hidden(Twice):
    pass
"""


@pytest.fixture(autouse=True)
def _forget():
    known = dict(keras.saving.get_custom_objects())
    yield
    use._classes.clear()
    keras.saving.get_custom_objects().clear()
    keras.saving.get_custom_objects().update(known)


def _file(folder, text, name="mine.py"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_public_classes_of_the_file_can_be_called(tmp_path):
    use.trusted([_file(tmp_path, TWICE)])
    assert set(use.used()) == {"Twice"}
    layer = make(Call("layers", "Twice", {"factor": 3.0}), name="t")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(np.ones((1, 2), "float32"))), 3)


def test_they_come_back_from_a_saved_model(tmp_path):
    use.trusted([_file(tmp_path, TWICE)])
    inputs = keras.Input((2,))
    keras.Model(inputs, make(Call("layers", "Twice", {"factor": 3.0}))(inputs)).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(np.ones((1, 2)), verbose=0), 3)


def test_a_file_is_run_once(tmp_path):
    path = _file(tmp_path, TWICE)
    use.trusted([path])
    first = use.used()["Twice"]
    use.trusted([path])
    assert use.used()["Twice"] is first


def test_without_them_the_name_is_unknown():
    with pytest.raises(SpecError, match="there is no `Twice` among the layers"):
        make(Call("layers", "Twice"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("broken.py", "1 / 0", "`broken.py` cannot be run: ZeroDivisionError: division by zero"),
        ("clash.py", "class Dense:\n    pass\n", "class `Dense` of `clash.py` has the name of a Keras class"),
        ("notes.txt", "hello", "`notes.txt` is no Python file"),
    ],
)
def test_what_cannot_be_used_is_a_problem(name, text, message, tmp_path):
    with pytest.raises(SpecError) as caught:
        use.trusted([_file(tmp_path, text, name)])
    assert caught.value.problems[0].message == message


def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    with pytest.raises(SpecError, match=r"`none.py` cannot be run: FileNotFoundError"):
        use.trusted([tmp_path / "none.py"])
