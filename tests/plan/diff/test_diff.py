"""What is different between two networks: properties over random pairs, and pairs of which the answer is known."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.plan.check import check
from kbuild.plan.diff import Change, Diff, Layers, diff
from kbuild.plan.diff.align import MOST_CELLS, align
from kbuild.plan.diff.network import network, sides
from kbuild.spec.load import load
from kbuild.spec.shipped import shipped_names
from kbuild.text.write import write

SETTINGS = settings(
    derandomize=True, database=None, deadline=None, max_examples=200 if os.environ.get("KBUILD_FULL") == "1" else 20
)
SWAP = {"added": "removed", "removed": "added", "changed": "changed", "copies": "copies"}


def checked(*entries, inputs=None, **sections):
    model = {"inputs": inputs or {"x": {"shape": [8]}}, "layers": list(entries)}
    return check(load(write({"kbuild": 1, "model": model, **sections})))


def compared(one, other) -> Diff:
    return diff(checked(*one), checked(*other))


def told(found: Diff) -> list[str]:
    """Kind, name and changes of each row, in short."""
    said = {"added": "+", "removed": "-", "changed": "~", "copies": "×"}
    return [
        " ".join([said[row.kind], row.name, *(f"{c.path} {c.before}→{c.after}" for c in row.changes)])
        for row in found.layers
    ]


def mirrored(row: Layers):
    """A row of diff(a, b) as it is in diff(b, a)."""
    return flat(
        Layers(
            SWAP[row.kind],  # type: ignore[arg-type]
            row.after,
            row.before,
            row.calls,
            tuple(Change(c.path, c.after, c.before) for c in row.changes),
            (row.shapes[1], row.shapes[0]),
            (row.params[1], row.params[0]),
            (row.flops[1], row.flops[0]),
            (row.count[1], row.count[0]),
        )
    )


def flat(row: Layers):
    calls = None if row.kind == "changed" else str(row.calls)
    return (row.kind, row.before, row.after, calls, str(sorted(row.changes, key=str)), str(row.shapes), row.params,
            row.flops, row.count)  # fmt: skip


names = st.sampled_from(["a", "b", "c", None])
simple = st.one_of(
    st.builds(lambda units: {"Dense": units}, st.sampled_from([4, 8, 16])),
    st.builds(lambda rate: {"Dropout": rate}, st.sampled_from([0.1, 0.3])),
    st.sampled_from(
        ["ReLU", "BatchNormalization", {"mlp": {"units": [8, 4]}}, {"mlp": {"units": [4], "dropout": 0.2}}]
    ),
    st.builds(lambda units: {"branches": [[{"Dense": units}], []], "merge": "Concatenate"}, st.sampled_from([4, 8])),
)


@st.composite
def entry(draw):
    made = draw(simple)
    made = {made: None} if isinstance(made, str) else dict(made)
    times = draw(st.sampled_from([None, None, None, 2, 3]))
    return {**made, **({"repeat": times} if times else {})}


@st.composite
def chain(draw):
    """Entries, a few of them with names."""
    entries = draw(st.lists(entry(), min_size=1, max_size=7))
    for name in "abc":
        at = draw(st.integers(0, 12))
        if at < len(entries):
            entries[at] = {**entries[at], "name": name}
    return entries


@SETTINGS
@given(chain())
def test_a_network_is_what_it_is(entries):
    assert compared(entries, entries).empty


@SETTINGS
@given(chain(), chain())
def test_the_other_way_round_everything_is_the_other_way_round(one, other):
    one, other = checked(*one), checked(*other)
    there, back = network(*sides(one, other)), network(*sides(other, one))
    assert sorted(map(mirrored, there), key=str) == sorted(map(flat, back), key=str)
    forth, other_way = diff(one, other), diff(other, one)
    assert forth.totals == {key: (b, a) for key, (a, b) in other_way.totals.items()}
    assert forth.same_architecture == other_way.same_architecture


@SETTINGS
@given(chain(), chain())
def test_what_came_and_went_makes_the_one_the_other(one, other):
    one, other = checked(*one), checked(*other)
    found = diff(one, other)
    for rows in (network(*sides(one, other)), found.layers):
        came = sum(row.count[1] - row.count[0] for row in rows)
        assert len(one.plan.steps) + came == len(other.plan.steps)
        parameters = [sum(row.params[side] or 0 for row in rows) for side in (0, 1)]
        totals = found.totals["params"]
        if None not in totals and all(None not in row.params for row in rows):
            assert parameters[1] - parameters[0] == totals[1] - totals[0]  # type: ignore[operator]


@SETTINGS
@given(chain(), chain())
def test_a_step_is_one_other_step_at_most(one, other):
    one, other = checked(*one).plan, checked(*other).plan
    pairs = align(one, other)
    assert len(set(pairs.values())) == len(pairs)
    assert all(one.step(a) and other.step(b) for a, b in pairs.items())
    assert align(other, one) == {b: a for a, b in pairs.items()}


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_spec_is_what_it_is(name):
    found = check(load(f"kbuild:{name}"))
    assert diff(found, check(load(f"kbuild:{name}"))).empty


D, R = "Dense", "ReLU"


@pytest.mark.parametrize(
    ("one", "other", "rows"),
    [
        ([{D: 512}, {D: 3}], [{D: 256}, {D: 3}], ["~ dense units 512→256", "~ dense_1"]),
        # what is put in front takes the automatic names of what follows
        ([{D: 64}, R, {D: 3}], [{D: 32}, R, {D: 64}, R, {D: 3}], ["+ dense", "+ re_lu", "~ dense_1"]),
        ([{D: 64}, R, {D: 3}], [{D: 64}, "BatchNormalization", R, {D: 3}], ["+ batch_normalization"]),
        ([{D: 8, "name": "a"}, {D: 3}], [{D: 8, "name": "b"}, {D: 3}], ["~ b name a→b"]),
        # a name that a person gave stands for a layer whatever it is now
        ([{D: 8, "name": "a"}, {D: 3}], [{"Maxout": 8, "name": "a"}, {D: 3}], ["~ a call {'Dense': {'units': 8}}→{'Maxout': {'units': 8}}"]),
        (
            [{D: 8}, {"Dropout": 0.2}, "BatchNormalization"],
            [{D: 8}, "BatchNormalization", {"Dropout": 0.2}],
            ["~ batch_normalization from dropout→dense", "~ dropout from dense→batch_normalization"],
        ),
        ([{D: 8, "repeat": 3}], [{D: 8, "repeat": 5}], ["× dense repeat 3→5"]),
        ([{"mlp": {"units": [8] * 2}}, {D: 3}], [{"mlp": {"units": [8] * 4}}, {D: 3}], ["× mlp-chain repeat 2→4"]),
        ([{"mlp": {"units": [8] * 4}}, {D: 3}], [{"mlp": {"units": [8] * 2}}, {D: 3}], ["× mlp-chain repeat 4→2"]),
        # a copy that is another network is told of
        ([{"mlp": {"units": [8, 8]}}], [{"mlp": {"units": [8, 8, 4]}}], ["+ mlp-chain-2"]),
        (
            [{"chain": [{D: 8}, R], "repeat": 3, "name": "stage"}],
            [{"chain": [{D: 8}, {"LeakyReLU": 0.1}], "repeat": 3, "name": "stage"}],
            ["- stage-0-re_lu", "+ stage-0-leaky_re_lu", "- stage-1-re_lu", "+ stage-1-leaky_re_lu", "- stage-2-re_lu", "+ stage-2-leaky_re_lu"],
        ),
        ([{"Dropout": 0.1, "repeat": 3}], [{"Dropout": 0.2, "repeat": 3}], ["~ dropout-* rate 0.1→0.2"]),
        ([{D: 8}, R, {D: 3}], [{D: 16}, R, {D: 3}], ["~ dense units 8→16", "~ re_lu", "~ dense_1"]),
        # in another block a layer is found by what it is, and not by its kind alone
        ([{D: 64}, R, {D: 3}], [{"mlp": {"units": [32]}}, {D: 3}], ["- dense", "- re_lu", "+ mlp", "~ dense"]),
        ([{D: {"units": 64, "use_bias": True}}, {"Activation": "relu"}, {D: 3}], [{"mlp": {"units": [64]}}, {D: 3}],
         ["~ mlp-chain-0-dense name dense→mlp-chain-0-dense", "~ mlp-chain-0-activation name activation→mlp-chain-0-activation"]),
    ],
)  # fmt: skip
def test_what_is_told(one, other, rows):
    assert told(compared(one, other)) == rows


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([{D: {"units": 8}}], [{D: {"units": 8, "use_bias": True, "activation": None}}]),
        ([{D: {"units": 8, "activation": "linear"}}], [{D: 8}]),
        (
            [{D: {"units": 8, "kernel_initializer": "he_normal"}}],
            [{D: {"units": 8, "kernel_initializer": {"HeNormal": None}}}],
        ),
        ([{D: {"units": 8, "kernel_regularizer": "l2"}}], [{D: {"units": 8, "kernel_regularizer": {"L2": 0.01}}}]),
        ([{"Dropout": 0.5}], [{"Dropout": {"rate": 5e-1, "seed": None}}]),
        ([{"Reshape": [4, 2]}, {"Conv1D": [3, 2]}][:1], [{"Reshape": {"target_shape": [4, 2]}}]),
        ([{"chain": [{D: 8}, R]}], [{D: 8}, R]),
        ([{D: 8}, R, {"when": False, "Dense": 9}], [{D: 8}, R]),
    ],
)
def test_how_it_is_written_makes_no_difference(one, other):
    assert compared(one, other).empty


def test_a_size_may_be_written_once_or_for_each_axis():
    image = {"x": {"shape": [8, 8, 3]}}
    one = checked({"Conv2D": {"filters": 4, "kernel_size": 3}}, {"MaxPooling2D": 2}, inputs=image)
    other = checked(
        {"Conv2D": {"filters": 4, "kernel_size": [3, 3], "strides": [1, 1]}},
        {"MaxPooling2D": {"pool_size": [2, 2], "strides": 2}},
        inputs=image,
    )
    assert diff(one, other).empty
    assert not diff(
        one, checked({"Conv2D": {"filters": 4, "kernel_size": [3, 1]}}, {"MaxPooling2D": 2}, inputs=image)
    ).empty


def test_wiring_is_told_of_by_the_names_of_either_side():
    layers = [{D: 8, "name": "a"}, {D: 8, "name": "b"}]
    one = checked(*layers, {"Add": None, "from": ["a", "b"], "name": "both"})
    other = checked(*layers, {"Add": None, "from": ["input", "b"], "name": "both"})
    assert told(diff(one, other)) == ["~ both from ['a', 'b']→['x', 'b']"]
    assert diff(one, other).layers[0].count == (1, 1)


def test_frozen_shared_and_what_is_given_to_the_call():
    base = [{D: 8, "name": "a"}, {D: 8, "name": "b"}]
    assert told(compared(base, [{**base[0], "trainable": False}, base[1]])) == ["~ a trainable True→False"]
    shared = compared(base, [base[0], {"reuse": "a", "name": "b"}])
    assert told(shared) == ["~ b layer b→a"]
    assert shared.layers[0].count == (1, 0)
    assert shared.totals["layers"] == (2, 1)
    attention = {"MultiHeadAttention": {"num_heads": 2, "key_dim": 4}, "from": ["previous", "previous"]}
    masked = {**attention, "call": {"use_causal_mask": True}}
    one, other = (checked(e, inputs={"x": {"shape": [4, 8]}}) for e in (attention, masked))
    assert told(diff(one, other)) == ["~ multi_head_attention call.use_causal_mask None→True"]


def test_networks_too_large_to_compare_step_by_step_go_by_their_names():
    units = [4] * 300
    one, other = [{D: u} for u in units], [{"Dropout": 0.1}, *({D: u + 1} for u in units)]
    assert 300 * 301 <= MOST_CELLS < 600 * 601
    found = compared([{D: u} for u in units * 2], [{"Dropout": 0.1}, *({D: u + 1} for u in units * 2)])
    assert found.layers[0].kind == "added"
    assert len(one) + 1 == len(other)


SPEC = "kbuild: 1\ndata: {source: digits}\nmodel: [Flatten, {Dense: {units: 10, activation: softmax}, name: digit}]\n"


def changes(one: str, other: str) -> dict[str, tuple[object, object]]:
    found = diff(check(load(SPEC + one)), check(load(SPEC + other)))
    assert found.layers == ()
    return {
        c.path: (c.before, c.after)
        for part in (found.inputs, found.outputs, found.data, found.train, found.tune)
        for c in part
    }


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("train: {optimizer: {Adam: 1e-3}}", "train: {optimizer: {Adam: {learning_rate: 0.001}}}", {}),
        ("train: {optimizer: adam}", "", {}),
        ("train: {loss: auto}", "train: {loss: sparse_categorical_crossentropy}", {}),
        ("train: {metrics: [acc]}", "train: {metrics: [accuracy]}", {}),
        ("train: {epochs: 10, early_stopping: false}", "", {}),
        ("train: {optimizer: {Adam: 1e-3}}", "train: {optimizer: {Adam: 1e-2}}", {"train.optimizer.learning_rate": (0.001, 0.01)}),
        ("train: {optimizer: adam}", "train: {optimizer: {SGD: 0.1}}", {"train.optimizer": ("Adam", {"SGD": {"learning_rate": 0.1}})}),
        ("train: {epochs: 3}", "train: {epochs: 4}", {"train.epochs": (3, 4)}),
        ("", "train: {early_stopping: {patience: 3}}", {"train.early_stopping": (None, {"patience": 3})}),
        ("train: {early_stopping: {patience: 4}}", "train: {early_stopping: {patience: 3, monitor: val_loss}}", {"train.early_stopping.patience": (4, 3)}),
        ("train: {schedule: {cosine: {to: 0}}}", "train: {schedule: cosine}", {}),
        ("train: {schedule: {cosine: {to: 0}}}", "train: {schedule: {linear: {to: 0.1}}}", {"train.schedule": ({"cosine": {}}, {"linear": {"to": 0.1}})}),
        ("", "tune: {objective: val_accuracy}", {"tune": (None, {"objective": "val_accuracy"})}),
        ("tune: {objective: val_loss}", "tune: {objective: val_accuracy}", {"tune.objective": ("val_loss", "val_accuracy")}),
    ],
)  # fmt: skip
def test_training_is_compared_by_what_it_means(one, other, expected):
    assert changes(one, other) == expected


def test_data_are_compared_by_what_they_are(tmp_path):
    base = "kbuild: 1\nmodel: [Flatten, {Dense: {units: 10, activation: softmax}, name: digit}]\n"
    one = check(load(base + "data: {source: digits, batch_size: 32}\n"))
    other = check(load(base + "data: {source: mnist, batch_size: 64, split: {validation: 0.2}}\n"))
    found = diff(one, other)
    assert [(c.path, c.before, c.after) for c in found.data] == [
        ("data.source", "digits", "mnist"),
        ("data.split.validation", 0.1, 0.2),
        ("data.batch_size", 32, 64),
    ]
    assert found.inputs[0] == Change("input.shape", [8, 8, 1], [28, 28])
    assert not found.same_architecture
    without = check(
        load(
            "kbuild: 1\nmodel: {inputs: {x: {shape: [8, 8, 1]}}, layers: [Flatten, {Dense: {units: 10, activation: softmax}, name: digit}]}\n"
        )
    )
    assert [c.path for c in diff(without, one).data] == ["data"]


def test_a_hole_counts_as_what_it_stands_for():
    one = checked({"Dense": {"units": {"$int": [8, 16], "default": 12}}})
    assert diff(one, checked({"Dense": 12})).empty
    assert told(diff(one, checked({"Dense": 16}))) == ["~ dense units 12→16"]
