"""The drawing as a file."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from networks import networks, plan_of, shipped

from kbuild.plan.cost import costs
from kbuild.plan.draw.colours import FAMILIES, family
from kbuild.plan.draw.svg import svg
from kbuild.plan.plan import Plan

NAME = "{http://www.w3.org/2000/svg}"


def drawn(plan: Plan, depth: int | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(svg(plan, costs(plan), depth))


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(node.itertext()) for node in root.iter(f"{NAME}text")]


def test_each_box_tells_its_call_its_name_its_shape_and_its_parameters(residual):
    told = texts(drawn(residual))
    assert told[0] == "residual"
    assert {"Dense(4)", "first", "4 · 36", "stage-0 · cell", "Σ 40", "Dense(2, softmax)", "2 · 10"} <= set(told)


def test_a_folded_repeat_is_a_stack(residual):
    told = texts(drawn(residual, 0))
    assert "stage ×3" in told
    assert "repeat, 15 layers" in told
    assert len(list(drawn(residual, 0).iter(f"{NAME}rect"))) == 3 + 2 + 2


def test_the_first_copy_stands_for_all_where_there_are_many():
    root = drawn(shipped("densenet121"))
    told = texts(root)
    assert [text for text in told if text.startswith("branches ×")] == [f"branches ×{n}" for n in (6, 12, 24, 16)]


def test_it_needs_nothing_else(residual):
    text = svg(residual)
    assert not re.search(r"<(script|style|link|image|foreignObject|use)\b|url\(|href|@import|class=", text)
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]


def test_it_is_always_the_same(residual):
    assert svg(residual, costs(residual)) == svg(residual, costs(residual))


@settings(max_examples=10, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_it_is_well_formed_and_all_inside_its_box(plan):
    root = drawn(plan)
    left, top, width, height = (float(number) for number in root.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    assert (root.attrib["width"], root.attrib["height"]) == tuple(root.attrib["viewBox"].split()[2:])
    for rect in root.iter(f"{NAME}rect"):
        x, y, wide, high = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
    for text in root.iter(f"{NAME}text"):
        assert 0 <= float(text.attrib["x"]) <= width
        assert 0 <= float(text.attrib["y"]) <= height


def test_text_in_it_is_no_markup():
    plan = plan_of("kbuild: 1\nname: a\nmodel: {inputs: {x: {shape: [4]}}, layers: [{Reshape: [2, 2]}]}\n")
    odd = Plan("<b>&\x00", plan.inputs, plan.steps, plan.outputs)
    assert "<b>&�" in texts(ElementTree.fromstring(svg(odd)))


@pytest.mark.parametrize(
    ("name", "where"),
    [("Conv2D", "convolutional"), ("Dense", "core"), ("LSTM", "rnn"), ("ReLU", "activations"), ("Add", "merging")],
)
def test_the_colour_is_that_of_the_folder_of_keras(plan, name, where):
    shape = {"Conv2D": "8, 8, 1", "LSTM": "3, 4"}.get(name, "4")
    call = {"Conv2D": "{Conv2D: {filters: 1, kernel_size: 3}}", "Add": "{Add: null, from: [x, x]}"}.get(
        name, f"{{{name}: 3}}" if name != "ReLU" else name
    )
    found = plan(f"kbuild: 1\nmodel: {{inputs: {{x: {{shape: [{shape}]}}}}, layers: [{call}]}}\n")
    assert family(found.steps[-1].call) == where
    assert where in FAMILIES


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_letters_can_be_read_on_every_box_and_on_light_and_dark():
    from kbuild.plan.draw.colours import FAINT, INK, PLAIN, WIRE
    from kbuild.plan.draw.svg import _MUTED

    for colours in (*FAMILIES.values(), PLAIN):
        assert contrast(INK, colours.fill) > 7
        assert contrast(FAINT, colours.fill) > 4.5
    for ground in ("#ffffff", "#0d1117"):
        assert contrast(_MUTED, ground) > 4
        assert contrast(WIRE, ground) > 3
