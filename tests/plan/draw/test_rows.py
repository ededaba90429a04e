"""Rows of a table: what goes in, what comes out, what it costs; and the text of them."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import networks, plan_of, shipped

from kbuild.plan.cost import Cost, costs
from kbuild.plan.draw.rows import ABOVE, rows
from kbuild.plan.draw.table import aligned, wrapped
from kbuild.plan.draw.totals import totals
from kbuild.plan.field import fields
from kbuild.plan.graph import tensors

RANDOM = settings(
    max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def test_names_are_those_of_the_group_around(residual):
    told = [(row.gutter + row.name, row.source) for row in rows(residual)]
    assert told[:12] == [
        ("x", ""),
        ("first", ABOVE),
        ("stage ×3", ABOVE),
        ("├ stage-0", "first"),
        ("│ ├ branch 1", "first"),
        ("│ │ ├ dense", "first"),
        ("│ │ ├ re_lu", ABOVE),
        ("│ │ └ dense_1", ABOVE),
        ("│ ├ add", "dense_1, first"),
        ("│ └ re_lu_1", ABOVE),
        ("├ stage-1", "stage-0"),
        ("│ ├ branch 1", "stage-0"),
    ]
    assert told[-1] == ("last", "stage")


def test_a_name_that_stands_inside_and_outside_is_told_apart():
    plan = plan_of(
        "kbuild: 1\nblocks: {two: {layers: [{Dense: 4}, {Dense: 4}]}}\n"
        "model: {inputs: {x: {shape: [4]}}, layers: [{Dense: 4}, {two: null}]}\n"
    )
    assert [row.source for row in rows(plan)] == ["", ABOVE, ABOVE, "../dense", ABOVE]


def test_what_a_folded_group_gives_and_takes(residual):
    stage = rows(residual, costs(residual), depth=0)[2]
    assert (stage.name, stage.call, stage.source, stage.output) == ("stage ×3", "repeat", ABOVE, "(4,)")
    assert stage.cost is not None
    assert stage.cost.params == 3 * 2 * (4 * 4 + 4)


def test_named_tensors_keep_their_names():
    plan = shipped("lstm_encoder_decoder")
    assert [row.source for row in rows(plan)][-2:] == ["embedding_1, enc.h, enc.c", ABOVE]


def test_the_receptive_field_of_a_folded_group_is_the_widest_in_it():
    plan = shipped("resnet50")
    told = [(row.name, row.field) for row in rows(plan, fields=fields(plan), depth=2) if row.field]
    # 7, then a pooling of 3 over strides of 2: 11; in the first bottleneck a 3×3 over strides of 4: 19
    assert told[:3] == [("conv2d", "7"), ("max_pooling2d", "11"), ("bottleneck", "19")]
    assert told[-1] == ("bottleneck_1 ×2", "427")


@RANDOM
@given(networks(), st.integers(0, 5))
def test_rows_of_any_depth_have_each_step_once_and_the_same_sum(plan, depth):
    spent = costs(plan)
    everything = rows(plan, spent)
    steps = [row for row in everything if row.kind == "step"]
    assert [row.path for row in steps] == [step.path for step in plan.steps]
    closed = [row for row in rows(plan, spent, depth) if row.kind != "input" and not row.is_open]
    assert sum((row.cost for row in closed if row.cost), Cost()) == spent.total


@RANDOM
@given(networks())
def test_an_arrow_is_what_the_row_above_gives(plan):
    above = None
    for row in rows(plan):
        if row.kind == "step":
            step = next(step for step in plan.steps if step.path == row.path)
            if row.source == ABOVE:
                assert {ref.step for ref in tensors(step)} == {above}
            above = step.name
        else:
            above = row.name if row.kind == "input" else None


@RANDOM
@given(networks(), st.integers(60, 160))
def test_a_table_is_as_wide_as_it_may_be_and_loses_nothing(plan, width):
    found = rows(plan, costs(plan))
    lines = aligned(found, width).split("\n")
    assert max(len(line) for line in lines) <= max(width, 100)
    text = "".join("".join(lines).split())
    for row in found:
        assert row.call.split("(")[0].replace(" ", "") in text


def test_numbers_stand_right_under_each_other():
    lines = aligned(rows(shipped("digits_mlp"), costs(shipped("digits_mlp")))).split("\n")
    end = lines[0].index("parameters") + len("parameters")
    assert {line[end - 1 : end + 1].strip() for line in lines[2:]} <= set("0123456789")


def test_long_text_breaks_where_a_person_would():
    assert wrapped("Conv2D(16, 3, same, no bias)", 16) == ["Conv2D(16, 3,", "same, no bias)"]
    assert wrapped("batch_normalization_12", 14) == ["batch_", "normalization_", "12"]
    assert wrapped("GlobalAveragePooling2D", 16) == ["GlobalAverage", "Pooling2D"]
    assert wrapped("short", 10) == ["short"]
    assert wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"]


@RANDOM
@given(st.text(alphabet="ab_- ,(", max_size=60), st.integers(1, 20))
def test_wrapped_text_is_the_same_text(text, width):
    lines = wrapped(text, width)
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_totals_say_what_is_not_known():
    plan = plan_of(
        "kbuild: 1\nmodel: {inputs: {x: {shape: [null, 4]}}, layers: [{LSTM: {units: 3, return_sequences: true}}, {Dense: 2}]}\n"
    )
    told = totals(plan, costs(plan))
    assert told[0] == "parameters: 104 (104 trainable)"
    assert told[-1] == "? is not known: `lstm`, `dense` have a size that the data or `inputs` leave open"


def test_totals_of_what_does_not_learn():
    plan = plan_of("kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: [ReLU, {Dense: 2, trainable: false}]}\n")
    assert totals(plan, costs(plan))[0] == "parameters: 10 (0 trainable, 10 not)"
    plan = plan_of("kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: [ReLU]}\n")
    assert totals(plan, costs(plan))[0] == "parameters: none"
