import keras
import numpy as np
import pytest

from kbuild.data.dataset import Part
from kbuild.spec.call import Call
from kbuild.train.augment import Augment
from kbuild.train.feed import feed

N = 10
X = np.arange(N, dtype="float32").reshape(N, 1)
PART = Part({"input": X}, {"output": np.arange(N) * 10})


def collect(fed):
    """All batches of one pass, as NumPy."""
    data = fed.data
    found = list(data) if hasattr(data, "element_spec") else [data[at] for at in range(len(data))]
    return [keras.tree.map_structure(np.asarray, batch) for batch in found]


def order(fed, epoch):
    fed.start(epoch)
    return np.concatenate([batch[0][:, 0] for batch in collect(fed)]).astype(int).tolist()


def test_batches_keep_x_and_y_together():
    fed = feed(PART, 4, ["output"], seed=1)
    batches = collect(fed)
    assert [len(x) for x, _ in batches] == [4, 4, 2]
    assert fed.steps == 3
    for x, y in batches:
        np.testing.assert_array_equal(x[:, 0] * 10, y)
        assert y.dtype == np.int32


def test_the_order_is_a_function_of_seed_and_epoch():
    one, two, other = (feed(PART, 4, ["output"], seed=seed) for seed in (1, 1, 2))
    first = order(one, 0)
    assert sorted(first) == list(range(N))
    assert order(one, 1) != first
    assert order(two, 1) == order(one, 1)
    assert order(one, 0) == first
    assert order(other, 0) != first


def test_without_a_seed_the_order_is_that_of_the_data():
    fed = feed(PART, 4, ["output"])
    assert order(fed, 0) == order(fed, 5) == list(range(N))


def test_keras_sees_another_order_each_epoch():
    seen = []
    fed = feed(PART, 5, ["output"], seed=3)

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            fed.start(epoch)
            seen.append(order(fed, epoch))

    inputs = keras.Input((1,), name="input")
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    model.fit(fed.data, epochs=3, verbose=0, callbacks=[Watch()], shuffle=False)
    assert len({tuple(one) for one in seen}) == 3


def test_training_follows_the_order():
    # a learning rate of 1 on x=1 makes the bias a record of the last label seen
    part = Part({"input": np.zeros((6, 1), "float32")}, {"output": np.arange(6, dtype="float32")})
    fed = feed(part, 1, ["output"], seed=5)
    inputs = keras.Input((1,), name="input")
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="zeros")(inputs))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    lasts = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            fed.start(epoch)

        def on_epoch_end(self, epoch, logs=None):
            lasts.append(round(float(self.model.get_weights()[1][0])))

    model.fit(fed.data, epochs=4, verbose=0, callbacks=[Watch()], shuffle=False)
    expected = []
    for epoch in range(4):
        fed.start(epoch)
        expected.append(int(collect(fed)[-1][1][0]))
    assert lasts == expected


def test_several_outputs_and_weights():
    part = Part({"a": X, "b": X + 1}, {"p": np.arange(N), "q": np.arange(N) / 2, "other": np.zeros(N)})
    fed = feed(part, 4, ["p", "q"], weights={"p": np.full(N, 2.0, "float32")})
    x, y, w = collect(fed)[0]
    assert sorted(x) == ["a", "b"]
    assert sorted(y) == ["p", "q"]
    np.testing.assert_array_equal(w["p"], [2, 2, 2, 2])
    np.testing.assert_array_equal(w["q"], [1, 1, 1, 1])
    assert y["q"].dtype == np.float32


def test_the_input_as_the_target():
    inputs = keras.Input((1,), name="input")
    features = keras.Model(inputs, keras.layers.Rescaling(0.5)(inputs))
    x, y = collect(feed(PART, 4, ["output"], features=features, reconstruct=True))[1]
    np.testing.assert_array_equal(x[:, 0], [4, 5, 6, 7])
    np.testing.assert_allclose(y[:, 0], [2, 2.5, 3, 3.5])
    x, y = collect(feed(PART, 4, ["output"], reconstruct=True))[0]
    np.testing.assert_array_equal(x, y)


def images(n=12):
    return np.random.default_rng(0).uniform(0, 255, (n, 8, 8, 3)).astype("uint8")


def augmented(calls, seed=1, y=None):
    labels = np.eye(3, dtype="float32")[np.arange(12) % 3] if y is None else y
    part = Part({"image": images()}, {"output": labels})
    return feed(part, 5, ["output"], seed=seed, augment=Augment({"image": calls}, seed))


def test_augmentation_is_a_function_of_seed_and_epoch():
    calls = (
        Call("layers", "RandomFlip", {"mode": "horizontal"}),
        Call("layers", "RandomTranslation", {"height_factor": 0.3, "width_factor": 0.3}),
    )

    def epoch(fed, number):
        fed.start(number)
        return np.concatenate([batch[0] for batch in collect(fed)])

    one, two = augmented(calls), augmented(calls)
    first = epoch(one, 0)
    np.testing.assert_array_equal(first, epoch(two, 0))
    second = epoch(one, 1)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(second, epoch(two, 1))
    np.testing.assert_array_equal(first, epoch(one, 0))
    assert not np.array_equal(first, epoch(augmented(calls, seed=2), 0))
    assert not np.array_equal(first, images()[:12])


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_mixing_mixes_labels_as_it_mixes_images(name):
    fed = augmented((Call("layers", name, {}),))
    batches = collect(fed)
    labels = np.concatenate([y for _, y in batches])
    assert labels.shape == (12, 3)
    np.testing.assert_allclose(labels.sum(axis=1), 1, rtol=1e-5)
    assert ((labels > 0.01) & (labels < 0.99)).any()


def test_noise_is_for_training_only_and_every_batch_has_its_own():
    fed = augmented((Call("layers", "GaussianNoise", {"stddev": 0.5}),))
    one, two = (collect(fed)[0][0] for _ in range(2))
    assert one.dtype == np.float32
    assert not np.array_equal(one, np.round(one))
    assert one.shape == two.shape
