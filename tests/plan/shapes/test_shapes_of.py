"""What the rules say: shapes that are known, unknown ones, and the sentences of their mistakes. No Keras here."""

import subprocess
import sys

import pytest

from kbuild.plan.plan import Input, Plan, Ref
from kbuild.plan.shapes import ShapeMistake, shapes_of
from kbuild.spec.call import Call, Nested

LSTM = Call("layers", "LSTM", {"units": 4})
SEQUENCES = Call("layers", "LSTM", {"units": 4, "return_sequences": True, "return_state": True})


def mistake(name, args, *inputs, namespace="layers", **kwinputs):
    """Message and help of the mistake that a rule makes out."""
    with pytest.raises(ShapeMistake) as caught:
        shapes_of(name, args, list(inputs), kwinputs, namespace)
    return caught.value.message, caught.value.help


@pytest.mark.parametrize(
    ("name", "args", "inputs", "kwinputs", "shapes"),
    [
        ("Flatten", {}, [(None, 4)], {}, ((None,),)),
        ("Dense", {"units": 3}, [(None,)], {}, ((3,),)),
        ("Dense", {"units": 3}, [(8, 8, 1)], {}, ((8, 8, 3),)),
        ("Dense", {"units": 3}, [], {"inputs": (5,)}, ((3,),)),
        ("Dense", {"units": 3}, [None], {}, (None,)),
        ("Add", {}, [[(3,), None]], {}, (None,)),
        ("LSTM", {"units": 4, "return_state": True}, [None], {}, (None, None, None)),
        ("LSTM", {"units": 4}, [], {"initial_state": [(4,), (4,)], "sequences": (7, 2)}, ((4,),)),
        ("Bidirectional", {"layer": SEQUENCES}, [(7, 2)], {}, ((7, 8), (4,), (4,), (4,), (4,))),
        ("Bidirectional", {"layer": LSTM, "merge_mode": None}, [(7, 2)], {}, ((4,), (4,))),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 4}, [], {"query": (5, 6), "value": (7, 6)}, ((5, 6),)),
        ("TimeDistributed", {"layer": Call("layers", "NoSuch")}, [(7, 2)], {}, (None,)),
        ("StochasticDepth", {"rate": 0.1}, [(7, 2)], {}, ((7, 2),)),
        ("NoSuch", {}, [(3,)], {}, None),
    ],
)
def test_shapes(name, args, inputs, kwinputs, shapes):
    """Inputs by position and by name, known and unknown."""
    assert shapes_of(name, args, inputs, kwinputs) == shapes


def test_other_namespaces_have_no_rules():
    """An application is one nested layer, whose shape nobody here knows."""
    assert shapes_of("ResNet50", {}, [(224, 224, 3)], {}, "applications") is None
    assert shapes_of("Dense", {"units": 1}, [(3,)], {}, "ops") is None


def test_a_block_inside_a_layer_gives_what_its_plan_gives():
    """`TimeDistributed: {layer: {frame_cnn: 64}}`: the shape of the nested plan's output."""
    plan = Plan("frame_cnn", (Input("input", (8,)),), (), {"output": Ref("input")})
    assert shapes_of("TimeDistributed", {"layer": Nested(plan)}, [(5, 8)]) == ((5, 8),)


def test_split_gives_several():
    """One shape for each part."""
    assert shapes_of("split", {"indices_or_sections": [1, 3], "axis": -1}, [(8,)], {}, "ops") == ((1,), (2,), (5,))
    assert shapes_of("split", {"indices_or_sections": 2, "axis": -1}, [None], {}, "ops") == (None, None)


@pytest.mark.parametrize(
    ("name", "args", "inputs", "message", "help"),
    [
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3},
            [(28, 28)],
            "`Conv2D` needs (rows, columns, channels) but gets (28, 28)",
            "put a `Reshape: [28, 28, 1]` in front of it",
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3},
            [(64,)],
            "`Conv2D` needs (rows, columns, channels) but gets (64,)",
            "put a `Reshape` to (rows, columns, channels) in front of it",
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3, "data_format": "channels_first"},
            [(28, None)],
            "`Conv2D` needs (channels, rows, columns) but gets (28, ?)",
            "put a `Reshape: [1, 28, -1]` in front of it",
        ),
        (
            "MaxPooling2D",
            {},
            [(5, 8, 8, 1)],
            "`MaxPooling2D` needs (rows, columns, channels) but gets (5, 8, 8, 1)",
            "wrap it in `TimeDistributed`, or put a `Reshape` in front of it",
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 5},
            [(8, 3, 1)],
            "the kernel of `Conv2D` spans 5 columns, but gets only 3: (3 - 5) // 1 + 1 = -1",
            "write `padding: same`, or a smaller kernel, or pool less before it: the map is (8, 3)",
        ),
        (
            "Conv1D",
            {"filters": 8, "kernel_size": 3, "dilation_rate": 4},
            [(6, 1)],
            "the kernel of `Conv1D` spans 9 steps, as 4 * (3 - 1) + 1 = 9, but gets only 6: (6 - 9) // 1 + 1 = -2",
            "write `padding: same`, or a smaller kernel or `dilation_rate`, or pool less before it: the map is (6,)",
        ),
        (
            "MaxPooling2D",
            {"pool_size": 2},
            [(1, 1, 8)],
            "the window of `MaxPooling2D` spans 2 rows, but gets only 1: (1 - 2) // 2 + 1 = 0",
            "write `padding: same`, or a smaller window, or pool less before it: the map is (1, 1)",
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3, "groups": 2},
            [(8, 8, 3)],
            "`Conv2D` cannot split its 3 input channels into 2 groups",
            "`groups` must divide 3",
        ),
        (
            "GroupNormalization",
            {},
            [(8, 8, 24)],
            "`GroupNormalization` cannot split 24 channels into 32 groups",
            "`groups: 24` would fit: it must divide 24",
        ),
        (
            "Dense",
            {"units": 32.0},
            [(4,)],
            "`units` of `Dense` must be a whole number of at least 1, not 32.0",
            "for a whole number write `//` instead of `/`",
        ),
        (
            "Dense",
            {"units": 32},
            [[(4,), (5,)]],
            "`Dense` takes one input but gets 2",
            "join them first, with `Concatenate` or `Add`",
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": [3, 3, 3]},
            [(8, 8, 1)],
            "`kernel_size` of `Conv2D` must be a whole number of at least 1 or a list of 2, not [3, 3, 3]",
            None,
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3, "padding": "smae"},
            [(8, 8, 1)],
            "`padding` of `Conv2D` must be `valid` or `same`, not `smae`",
            None,
        ),
        (
            "Add",
            {},
            [[(64,), (32,)]],
            "`Add` cannot merge (64,) and (32,): 64 against 32",
            "bring both to the same size with a `Dense`, or use `Concatenate`",
        ),
        ("Add", {}, [(64,)], "`Add` needs a list of inputs but gets one tensor", "name them: `from: [a, b]`"),
        ("Subtract", {}, [[(3,), (3,), (3,)]], "`Subtract` needs 2 inputs but gets 3", None),
        (
            "Concatenate",
            {},
            [[(7, 7, 3), (8, 7, 3)]],
            "`Concatenate` along axis 3 needs inputs equal in all other axes, but on axis 1 they have 7 and 8: "
            "(7, 7, 3) and (8, 7, 3)",
            "give both the same `strides` and `padding: same`, or fit one to the other with `ZeroPadding2D`, "
            "`Cropping2D` or `Resizing`",
        ),
        (
            "Concatenate",
            {"axis": 5},
            [[(7, 3), (7, 3)]],
            "`Concatenate` has no axis 5: its input has 3 axes, the batch included",
            "axes go from -3 to 2; axis 0 is the batch",
        ),
        (
            "Dot",
            {"axes": 1},
            [[(3,), (4,)]],
            "`Dot` sums axis 1 of (3,) with axis 1 of (4,), but they have 3 and 4 places",
            "axes count the batch as 0; a list gives one for each input",
        ),
        (
            "Reshape",
            {"target_shape": [28, 28, 1]},
            [(8, 8)],
            "`Reshape` cannot make (28, 28, 1) of (8, 8): 8 * 8 = 64 values are not 28 * 28 * 1 = 784",
            "the sizes in `target_shape` must multiply to 64",
        ),
        (
            "Reshape",
            {"target_shape": [-1, 5]},
            [(64,)],
            "`Reshape` cannot make (-1, 5) of (64,): 64 values are not a multiple of 5",
            "the sizes beside -1 must divide 64",
        ),
        (
            "LSTM",
            {"units": 4},
            [(64,)],
            "`LSTM` needs (time, features) but gets (64,)",
            "put a `Reshape: [64, 1]` in front of it",
        ),
        (
            "RepeatVector",
            {"n": 4},
            [(8, 8)],
            "`RepeatVector` needs (features,) but gets (8, 8)",
            "put a `Flatten` or a global pooling layer in front of it",
        ),
        (
            "MultiHeadAttention",
            {"num_heads": 2, "key_dim": 4},
            [(5, 6)],
            "`MultiHeadAttention` needs the inputs `query` and `value` but gets one",
            "for self-attention: `from: {query: previous, value: previous}`",
        ),
        (
            "RNN",
            {"cell": LSTM},
            [(5, 6)],
            "`cell` of `RNN` must be a cell: `LSTMCell`, not `LSTM`",
            None,
        ),
        (
            "Bidirectional",
            {"layer": Call("layers", "Dense", {"units": 4})},
            [(5, 6)],
            "`layer` of `Bidirectional` must be a recurrent layer, such as `{LSTM: 64}`, not `Dense`",
            None,
        ),
        (
            "PositionEmbedding",
            {"length": 4},
            [(5, 6)],
            "`PositionEmbedding: 4` has 4 places but gets 5 steps",
            "write at least 5",
        ),
        (
            "Sampling",
            {},
            [[(2,), (3,)]],
            "`Sampling` needs mean and log_var of one shape but gets (2,) and (3,)",
            "give both layers equally many units",
        ),
    ],
)
def test_what_a_mistake_says(name, args, inputs, message, help):
    """What is wrong with the numbers in it, and what to do."""
    assert mistake(name, args, *inputs) == (message, help)


def test_an_initial_state_must_fit():
    """As many states as the layer has, each as wide as its units."""
    message, help = mistake("LSTM", {"units": 4}, (7, 2), initial_state=[(4,)])
    assert (message, help) == ("`LSTM` has 2 states but `initial_state` gives 1", "give (4,), (4,), in that order")
    message, _ = mistake("GRU", {"units": 4}, (7, 2), initial_state=(5,))
    assert message == "`GRU` needs an initial state of (4,) but gets (5,)"
    message, _ = mistake("Bidirectional", {"layer": LSTM}, (7, 2), initial_state=[(4,), (4,)])
    assert message == "`Bidirectional` has 4 states but `initial_state` gives 2"


@pytest.mark.parametrize(
    ("name", "args", "inputs", "message"),
    [
        ("add", {}, [(3,), (4,)], "`ops.add` cannot broadcast (?, 3) and (?, 4), batch included: 3 against 4"),
        ("add", {}, [(3, 4), (4,)], "`ops.add` would put the batch of (4,) upon the size 3 of (3, 4)"),
        ("add", {}, [(3,)], "`ops.add` needs `x2`"),
        ("squeeze", {"axis": 1}, [(3,)], "`ops.squeeze` cannot drop axis 1 of (?, 3): it is of size 3"),
        ("mean", {"axis": 4}, [(3,)], "`ops.mean` has no axis 4: its input has 2 axes, the batch included"),
        (
            "split",
            {"indices_or_sections": 3, "axis": 1},
            [(8,)],
            "`ops.split` cannot cut axis 1 of (?, 8) into 3 equal parts: 8 % 3 = 2",
        ),
        (
            "einsum",
            {"subscripts": "bth,bsh->bts"},
            [(3, 4), (2, 5)],
            "axis `h` of `bth,bsh->bts` has 4 in one operand and 5 in another",
        ),
    ],
)
def test_what_a_mistake_of_an_operation_says(name, args, inputs, message):
    """Axes are counted with the batch, and it says so."""
    assert mistake(name, args, *inputs, namespace="ops")[0] == message


def test_rules_do_not_load_keras():
    """They stand left of the Keras line."""
    code = "import sys, kbuild.plan.shapes; print([m for m in ('keras', 'tensorflow', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
