"""a border that windows do not reach

What it does
    Finds pooling and convolutions with strides and `padding: valid` whose last window stops before the end of the
    map, and says how many rows and columns no window sees. Windows smaller than their stride leave gaps on purpose
    and do not count, nor does what `ZeroPadding` has just added.

Why is this bad?
    With n places, a window of k and a stride of s, floor((n - k) / s) + 1 windows fit, and (n - k) mod s places at
    the end belong to none. What is there cannot influence the result, and the map is no longer centred. Often it does
    not matter; on small maps it is much of the picture.

Example
    # a map of 7×7
    - MaxPooling2D: 2

Use instead
    # a map of 7×7
    - MaxPooling2D: {pool_size: 2, padding: same}

Source
    Dumoulin and Visin: A guide to convolution arithmetic for deep learning, arXiv:1603.07285, relationship 5.
"""

from collections.abc import Iterator

from kbuild.plan.plan import Step
from kbuild.plan.rules.kinds import argument, family, kind, places, rank, sizes
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_step
from kbuild.text.problem import Problem

CODE = "K322"
SEVERITY = "hint"

_AXES = {1: ("step",), 2: ("row", "column"), 3: ("plane", "row", "column")}


def find(net: Net) -> Iterator[Problem]:
    """Windows that do not reach the end of the map."""
    for step in net.steps:
        if family(step) not in {"pool", "conv", "separable", "depthwise"} or argument(step, "padding") != "valid":
            continue
        shapes = net.input_shapes(step)
        found = places(step, shapes[0]) if shapes else None
        lost = _lost(step, found) if found and len(found) == rank(step) else None
        if not found or not lost:
            continue
        padded = _padded(net, step)
        seen = [0 if gone <= zeros else gone for gone, zeros in zip(lost, padded, strict=True)]
        words = [
            f"the last {_count(gone, axis)} of {size}"
            for gone, axis, size in zip(seen, _AXES[rank(step)], found, strict=True)
            if gone
        ]
        if words:
            message = f"no window of `{step.name}` sees {' and '.join(words)}"
            yield at_step(CODE, SEVERITY, step, message, "write `padding: same`, or make the sizes fit")


def _lost(step: Step, found: tuple[int | None, ...]) -> list[int] | None:
    """How many places at the end of each axis belong to no window: (n - k) mod s."""
    axes = rank(step)
    window = sizes(step, "pool_size" if family(step) == "pool" else "kernel_size", axes)
    strides = sizes(step, "strides", axes) if argument(step, "strides") is not None else window
    dilation = sizes(step, "dilation_rate", axes) if family(step) != "pool" else (1,) * axes
    if window is None or strides is None or dilation is None or min(strides) < 1:
        return None
    reach = [d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True)]
    return [(n - r) % s if n is not None and n >= r >= s else 0 for n, r, s in zip(found, reach, strides, strict=True)]


def _padded(net: Net, step: Step) -> list[int]:
    """How many zeros `ZeroPadding` has just put at the end of each axis."""
    axes = rank(step)
    before = net.before(step)
    if len(before) != 1 or not kind(before[0]).startswith("ZeroPadding"):
        return [0] * axes
    value = argument(before[0], "padding")
    items = [value] if axes == 1 else list(value) if isinstance(value, list | tuple) else [value] * axes
    ends = [item[-1] if isinstance(item, list | tuple) and item else item for item in items]
    return [end if isinstance(end, int) else 0 for end in ends] if len(ends) == axes else [0] * axes


def _count(gone: int, axis: str) -> str:
    return axis if gone == 1 else f"{gone} {axis}s"
