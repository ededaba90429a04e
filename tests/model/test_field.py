"""Receptive fields against what really reaches a place of a network that Keras built."""

import os

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.model.build import build
from kbuild.model.read import read
from kbuild.plan.expand import expand
from kbuild.plan.field import Field, fields
from kbuild.spec.load import load

FULL = os.environ.get("KBUILD_FULL") == "1"
LENGTH = 400

small = st.integers(1, 4)
strides = st.sampled_from([1, 1, 2, 3])
SAME = [
    "BatchNormalization",
    "{ZeroPadding1D: 2}",
    "{Cropping1D: 1}",
    "{Dropout: 0.5}",
    "{Rescaling: 0.5}",
    "ops.negative",
]


def windows(padding: str):
    """One layer that slides, as an entry."""
    return st.one_of(
        st.builds("{{Conv1D: {{filters: 2, kernel_size: {0}, strides: {1}, padding: {p}}}}}".format, small, strides, p=st.just(padding)),
        st.builds("{{Conv1D: {{filters: 2, kernel_size: {0}, dilation_rate: {1}, padding: {p}}}}}".format, small, small, p=st.just(padding)),
        st.builds("{{SeparableConv1D: {{filters: 2, kernel_size: {0}, strides: {1}, padding: {p}}}}}".format, small, strides, p=st.just(padding)),
        st.builds("{{DepthwiseConv1D: {{kernel_size: {0}, padding: {p}}}}}".format, small, p=st.just(padding)),
        st.builds("{{AveragePooling1D: {{pool_size: {0}, strides: {1}, padding: {p}}}}}".format, small, strides, p=st.just(padding)),
    )  # fmt: skip


def unstrided(entry: str) -> bool:
    return "strides: 1" in entry or "dilation" in entry or "Depthwise" in entry


branches = st.lists(st.lists(windows("same").filter(unstrided), max_size=2), min_size=2, max_size=3).map(
    lambda chains: "{branches: [" + ", ".join(f"[{', '.join(chain)}]" for chain in chains) + "], merge: Concatenate}"
)
up = st.one_of(
    st.builds("{{Conv1DTranspose: {{filters: 2, kernel_size: {0}, strides: {1}, padding: {2}}}}}".format, small, strides, st.sampled_from(["same", "valid"])),
    st.builds("{{UpSampling1D: {0}}}".format, st.integers(1, 3)),
)  # fmt: skip
down = st.one_of(windows("valid"), windows("same"), branches, st.sampled_from(SAME))


def reached(text: str) -> tuple[dict[str, Field], list[int]]:
    """The fields of a chain over a row of 400, and how many places of it the middle places of the last layer see.

    All weights are one, so that nothing cancels; a place is seen if something that stands there alone is.
    """
    plan = expand(load(f"kbuild: 1\nmodel:\n  inputs: {{x: {{shape: [{LENGTH}, 1]}}}}\n  layers:\n{text}"))
    model = build(plan)
    for weight in model.trainable_weights:
        weight.assign(
            np.zeros(weight.shape) if "bias" in weight.path or "beta" in weight.path else np.ones(weight.shape)
        )
    seen = np.asarray(keras.ops.convert_to_numpy(model(np.eye(LENGTH)[..., None], training=False))).sum(axis=-1) != 0
    middle = seen.shape[1] // 2
    places = [np.flatnonzero(seen[:, place]) for place in range(max(0, middle - 6), min(middle + 6, seen.shape[1]))]
    return fields(plan), [int(p[-1] - p[0] + 1) for p in places if p.size and p[0] > 0 and p[-1] < LENGTH - 1]


def chain(entries: list[str]) -> str:
    return "".join(f"    - {entry}\n" for entry in [*entries, "{Conv1D: {filters: 1, kernel_size: 1}, name: last}"])


@settings(max_examples=200 if FULL else 20, derandomize=True, database=None, deadline=None)
@given(st.lists(down, min_size=1, max_size=5))
def test_a_place_sees_what_really_reaches_it(entries):
    found, seen = reached(chain(entries))
    if seen:
        assert set(seen) == {found["last"].size[0]}


@settings(max_examples=200 if FULL else 20, derandomize=True, database=None, deadline=None)
@given(st.lists(windows("same"), max_size=2), st.lists(st.one_of(up, windows("same")), min_size=1, max_size=3))
def test_a_larger_map_sees_as_much_but_for_a_jump(entries, more):
    """How many places lie under a place of a map that was enlarged differs from one to the next."""
    found, seen = reached(chain([*entries, *more]))
    widest = max(field.jump[0] for field in found.values())
    if seen:
        assert abs(max(seen) - found["last"].size[0]) <= widest * len(more)


def test_fields_of_published_networks():
    """Araujo, Norris and Sim give 212 for VGG16 and 483 for ResNet50."""
    last = {}
    for name in ("VGG16", "ResNet50"):
        model = getattr(keras.applications, name)(include_top=False, weights=None, input_shape=(64, 64, 3))
        last[name] = [field.size for field in fields(read(model)).values()][-1]
    assert last == {"VGG16": (212, 212), "ResNet50": (483, 483)}
