"""Merging layers."""

from kbuild.plan.cost.use import Rule, Use, Work, numbers, rule, size


def elementwise(use: Use) -> Work:
    """One operation less than there are inputs, for each number; `Average` divides too."""
    out = use.numbers()
    return out * (_count(use) - (use.given.name != "Average")), out


def copied(use: Use) -> Work:
    """Numbers that are put elsewhere: no operation."""
    return 0, use.kept()


def dot(use: Use) -> Work:
    """2·size of the axis that is summed over, for each number; with `normalize` both are divided by their lengths."""
    first, second = use.given.tensors(exactly=2)
    axes = use.given.raw("axes")
    axis = use.given.axes("axes", axes, len(first) + 1)[0]
    out = use.numbers()
    unit = 3 * (numbers(first) + numbers(second)) if use.asks("normalize", False) else 0
    return out * 2 * size(first[axis - 1]) + unit, out


def _count(use: Use) -> int:
    value = use.given.find(0, None)
    return len(value) if isinstance(value, list) else 1


RULES: dict[str, Rule] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), rule(elementwise)),
    "Concatenate": rule(copied),
    "Dot": rule(dot),
}
