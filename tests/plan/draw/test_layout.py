"""A drawing, by geometry: nothing overlaps, nothing is crossed, nothing is missing."""

from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import networks, shipped

from kbuild.plan.draw.fold import Fold, to_depth, to_fit
from kbuild.plan.draw.layout import layout
from kbuild.plan.draw.places import Layout, PlacedBox, PlacedFrame, Wire
from kbuild.plan.draw.scene import Frame, Item, Scene, scene
from kbuild.plan.draw.tree import tree
from kbuild.plan.plan import Plan

RANDOM = settings(
    max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
NEAR = 0.2
"""Places are rounded to a tenth of a pixel."""
NAMES = ["resnet50", "densenet121", "efficientnet_b0", "digits_denoising_unet", "two_inputs_two_outputs"]
NAMES += ["digits_transformer", "digits_inception", "lstm_encoder_decoder", "siamese", "digits_vae"]


def drawn(plan: Plan, fold: Fold) -> tuple[Scene, Layout]:
    found = scene(plan, None, fold)
    return found, layout(found)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_networks_are_drawn_well(name):
    plan = shipped(name)
    for fold in (Fold(), to_fit(tree(plan)), to_depth(tree(plan), 0), to_depth(tree(plan), 1)):
        holds(plan, *drawn(plan, fold))


@RANDOM
@given(networks(), st.sampled_from([None, 0, 1, 2, "fit"]))
def test_any_network_is_drawn_well(plan, depth):
    items = tree(plan)
    fold = to_fit(items, 8) if depth == "fit" else to_depth(items, depth)
    holds(plan, *drawn(plan, fold))


def test_a_drawing_is_always_the_same(residual):
    one, other = (layout(scene(residual, None, Fold())) for _ in range(2))
    assert one == other


def test_one_path_stands_straight(residual):
    """A skip connection goes beside the boxes; they do not make way for it."""
    _, found = drawn(residual, Fold())
    middles = {round(box.x + box.width / 2) for box in found.boxes}
    assert len(middles) == 1


def test_branches_stand_beside_each_other_around_the_middle():
    _, found = drawn(shipped("digits_inception"), Fold())
    place = {placed.box.key: placed.x + placed.width / 2 for placed in found.boxes}
    several = [place[f"inception-{name}"] for name in ("conv2d", "conv2d_2", "conv2d_4", "conv2d_5")]
    assert several == sorted(several)
    assert abs(place["inception-concatenate"] - sum(several) / 4) < 1


def holds(plan: Plan, asked: Scene, found: Layout) -> None:
    every_step_once(plan, found)
    nothing_overlaps(found)
    frames_hold_what_is_theirs(asked.items, found)
    no_wire_crosses_a_box(found)
    every_edge_is_a_path_of_wires(asked, found)
    all_is_inside(found)


def every_step_once(plan: Plan, found: Layout) -> None:
    shown = Counter(name for placed in found.boxes for name in placed.box.steps)
    assert set(shown.values()) <= {1}
    copies = any(frame.frame.copies > 1 for frame in found.frames)
    assert set(shown) == {step.name for step in plan.steps} or (copies and set(shown) < {s.name for s in plan.steps})
    ends = [placed.box.name for placed in found.boxes if placed.box.kind in {"input", "output"}]
    assert ends == [*(entry.name for entry in plan.inputs), *plan.outputs] or sorted(ends) == sorted(
        [*(entry.name for entry in plan.inputs), *plan.outputs]
    )


Rect = tuple[float, float, float, float]


def rect(placed: PlacedBox | PlacedFrame) -> Rect:
    return placed.x, placed.y, placed.x + placed.width, placed.y + placed.height


def apart(one: Rect, other: Rect) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def inside(one: Rect, other: Rect) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]


def nothing_overlaps(found: Layout) -> None:
    assert all(apart(rect(one), rect(other)) for one, other in combinations(found.boxes, 2))
    for one, other in combinations(found.frames, 2):
        assert apart(rect(one), rect(other)) or inside(rect(one), rect(other)) or inside(rect(other), rect(one))
    for box in found.boxes:
        for frame in found.frames:
            assert apart(rect(box), rect(frame)) or inside(rect(box), rect(frame))


def frames_hold_what_is_theirs(items: tuple[Item, ...], found: Layout) -> None:
    places: dict[str, Rect] = {placed.box.key: rect(placed) for placed in found.boxes}
    places |= {placed.frame.key: rect(placed) for placed in found.frames}
    for item in items:
        if isinstance(item, Frame):
            inner = {entry.key for entry in item.items}
            assert all(inside(places[key], places[item.key]) for key in inner)
            frames_hold_what_is_theirs(item.items, found)


def curve(wire: Wire) -> list[tuple[float, float]]:
    """Points on a wire: its straight ends and its curve."""
    (x1, y1), (_, y2), (x2, y3), (_, y4) = wire.points
    bend = (y3 - y2) / 2
    points = [(x1, y1), (x1, (y1 + y2) / 2)]
    for number in range(21):
        t = number / 20
        weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
        xs, ys = (x1, x1, x2, x2), (y2, y2 + bend, y3 - bend, y3)
        points.append((sum(w * x for w, x in zip(weights, xs)), sum(w * y for w, y in zip(weights, ys))))  # noqa: B905
    return [*points, (x2, (y3 + y4) / 2), (x2, y4)]


def no_wire_crosses_a_box(found: Layout) -> None:
    for wire in found.wires:
        points = curve(wire)
        for left, top, right, bottom in map(rect, found.boxes):
            assert not any(
                left + NEAR < x < right - NEAR and top + NEAR < y < bottom - NEAR for x, y in points
            ), wire  # fmt: skip
        assert all(b[1] >= a[1] - NEAR for a, b in pairwise(points)), "a wire goes down"


def every_edge_is_a_path_of_wires(asked: Scene, found: Layout) -> None:
    place = {placed.box.key: placed for placed in found.boxes}
    for edge in asked.edges:
        source, target = place[edge.source], place[edge.target]
        start = (source.x + source.width / 2, source.y + source.height)
        reached, seen = [start], {start}
        while reached:
            here = reached.pop()
            for wire in found.wires:
                if near(wire.points[0], here) and wire.points[3] not in seen:
                    seen.add(wire.points[3])
                    reached.append(wire.points[3])
        left, top, right, _ = rect(target)
        assert any(left < x < right and abs(y - top) < NEAR for x, y in seen), edge
    arrows = Counter(wire.target for wire in found.wires if wire.arrow)
    wanted = {edge.target for edge in asked.edges}
    assert set(arrows) == wanted


def near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) < NEAR and abs(one[1] - other[1]) < NEAR


def all_is_inside(found: Layout) -> None:
    for left, top, right, bottom in map(rect, (*found.boxes, *found.frames)):
        assert left >= -NEAR
        assert top >= -NEAR
        assert right <= found.width + NEAR
        assert bottom <= found.height + NEAR
    for wire in found.wires:
        assert all(-NEAR <= x <= found.width + NEAR and -NEAR <= y <= found.height + NEAR for x, y in curve(wire))
