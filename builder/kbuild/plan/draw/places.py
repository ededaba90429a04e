"""Where things are: boxes, frames, wires and labels, in pixels from the upper left corner, y down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kbuild.plan.draw.scene import Box, Frame

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box and the corner at its upper left; `lines` is the call, broken where it is long."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlacedFrame:
    """A frame and the corner at its upper left."""

    frame: Frame
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Wire:
    """A piece of an edge: straight down, in a curve between two rows, straight down.

    Args:
        points: start, where it leaves the upper row, where it reaches the lower one, end.
        arrow: whether it ends at a box.
        source, target: what it joins; a piece may join bends or doors, which have names of their own.
    """

    points: tuple[Point, Point, Point, Point]
    arrow: bool
    source: str
    target: str

    def moved(self, x: float, y: float) -> "Wire":
        """The same further right and down."""
        one, two, three, four = ((a + x, b + y) for a, b in self.points)
        return replace(self, points=(one, two, three, four))


@dataclass(frozen=True, slots=True)
class Label:
    """The shape of a tensor beside where it leaves a box: `x` is its end if it stands left of the wire."""

    text: str
    x: float
    y: float
    is_left: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything with its place, in pixels from the upper left corner, y down."""

    width: float
    height: float
    boxes: tuple[PlacedBox, ...] = ()
    frames: tuple[PlacedFrame, ...] = ()
    wires: tuple[Wire, ...] = ()
    labels: tuple[Label, ...] = ()

    def moved(self, x: float, y: float) -> "Layout":
        """The same further right and down."""
        if not x and not y:
            return self
        return Layout(
            self.width,
            self.height,
            tuple(replace(box, x=box.x + x, y=box.y + y) for box in self.boxes),
            tuple(replace(frame, x=frame.x + x, y=frame.y + y) for frame in self.frames),
            tuple(wire.moved(x, y) for wire in self.wires),
            tuple(replace(label, x=label.x + x, y=label.y + y) for label in self.labels),
        )


@dataclass(frozen=True, slots=True)
class Thing:
    """What stands in a row: a box with its call in lines, or a frame with what is in it.

    Args:
        ins, outs: where wires go through the border of a frame, from its left, by the box that they leave.
    """

    width: float
    height: float
    content: Box | Frame
    lines: tuple[str, ...] = ()
    inside: Layout = Layout(0, 0)
    ins: Mapping[str, float] = field(default_factory=dict)
    outs: Mapping[str, float] = field(default_factory=dict)

    def door(self, tensor: str, out: bool) -> float:
        """How far right of the middle a wire goes in or out."""
        doors = self.outs if out else self.ins
        return doors[tensor] - self.width / 2 if isinstance(self.content, Frame) else 0.0
