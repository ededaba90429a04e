"""Maps: a shape split into its places (steps; rows and columns; planes, rows and columns) and its channels."""

from collections.abc import Sequence
from dataclasses import dataclass

from kbuild.plan.shapes.given import Given, Known
from kbuild.plan.shapes.mistake import ShapeMistake, show

PLACES = {1: ("steps",), 2: ("rows", "columns"), 3: ("planes", "rows", "columns")}


@dataclass(frozen=True, slots=True)
class Grid:
    """A map: how many places along each axis, and how many channels at each place."""

    sizes: Known
    channels: int | None
    channels_first: bool

    def shape(self, sizes: Sequence[int | None], channels: int | None) -> Known:
        """A shape with the axes in the same order."""
        return (channels, *sizes) if self.channels_first else (*sizes, channels)


def words(rank: int, channels_first: bool, *, time: bool = False) -> tuple[str, ...]:
    """What the axes of such a map are called, in their order."""
    places = PLACES[rank]
    named = ("channels", *places) if channels_first else (*places, "channels")
    return ("time", *named) if time else named


def grid(given: Given, rank: int) -> Grid:
    """The input as a map of `rank` axes of places."""
    first = given.channels_first()
    return split(given, given.tensor(), rank, first)


def split(given: Given, shape: Known, rank: int, first: bool) -> Grid:
    """A shape as a map.

    Raises:
        ShapeMistake: another number of axes.
    """
    given.rank(shape, words(rank, first))
    return Grid(shape[1:], shape[0], True) if first else Grid(shape[:-1], shape[-1], False)


def slid(
    given: Given,
    sizes: Known,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int] | None = None,
    what: str = "kernel",
) -> Known:
    """How many places a window takes when it slides over a map (Keras: `compute_conv_output_shape`).

    `valid`: floor((n - d·(k - 1) - 1) / s) + 1; otherwise floor((n - 1) / s) + 1.

    Raises:
        ShapeMistake: the window is larger than the map, with the arithmetic.
    """
    out: list[int | None] = []
    for axis, (n, k, s, d) in enumerate(zip(sizes, window, strides, dilation or [1] * len(sizes), strict=True)):
        if n is None:
            out.append(None)
        elif padding == "valid":
            reach = d * (k - 1) + 1
            places = (n - reach) // s + 1
            if places <= 0:
                raise _too_small(given, sizes, axis, (n, k, s, d), what)
            out.append(places)
        else:
            out.append((n - 1) // s + 1)
    return tuple(out)


def _too_small(given: Given, sizes: Known, axis: int, numbers: tuple[int, int, int, int], what: str) -> ShapeMistake:
    n, k, s, d = numbers
    reach = d * (k - 1) + 1
    dilated = f", as {d} * ({k} - 1) + 1 = {reach}" if d > 1 else ""
    where = PLACES[len(sizes)][axis]
    return ShapeMistake(
        f"the {what} of `{given.name}` spans {reach} {where}{dilated}, but gets only {n}: "
        f"({n} - {reach}) // {s} + 1 = {(n - reach) // s + 1}",
        f"write `padding: same`, or a smaller {what}{' or `dilation_rate`' if d > 1 else ''}, or pool less before it: "
        f"the map is {show(sizes)}",
    )
