"""Values → short words for tables and drawings: `1,234,567`, `7.72 G`, `94.4 MB`, `Conv2D(64, 3, same, no bias)`."""

from collections.abc import Iterable, Mapping
from functools import cache

from kbuild.plan.plan import Plan, Shape
from kbuild.spec.call import Call, Nested, Value
from kbuild.spec.signature import Parameter, signature

UNKNOWN = "?"
_GRIDS = frozenset({"kernel_size", "pool_size", "strides", "size", "dilation_rate", "output_size"})
_BARE = frozenset({"activation", "padding"})


def number(value: int | None) -> str:
    """`1,234,567`, or `?`."""
    return UNKNOWN if value is None else f"{value:,}"


def scaled(value: int | None, units: str = " kMGTPE") -> str:
    """A number in three figures with its unit: `7.72 G`, `45.2 M`, `640`; `?` if it is not known."""
    if value is None:
        return UNKNOWN
    size, power = float(value), 0
    while size >= 999.5 and power < len(units) - 1:
        size, power = size / 1000, power + 1
    if not power:
        return f"{value}"
    return f"{size:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f} {units[power]}"


def size(value: int | None) -> str:
    """Bytes: `94.4 MB`, `640 B`; a megabyte is a million bytes."""
    text = scaled(value)
    return text if value is None else f"{text}{'B' if ' ' in text else ' B'}"


def share(part: int | None, whole: int | None) -> str:
    """`12.3 %`; empty where there is nothing to share, `?` where it is not known."""
    if part is None or whole is None:
        return UNKNOWN
    if not part or not whole:
        return ""
    return f"{100 * part / whole:.1f} %" if part * 2000 >= whole else "< 0.1 %"


def shape(value: Shape) -> str:
    """`(26, 26, 32)`, `(?, 64)`, `?`."""
    if value is None:
        return UNKNOWN
    inner = ", ".join(UNKNOWN if length is None else str(length) for length in value)
    return f"({inner},)" if len(value) == 1 else f"({inner})"


def shapes(values: Iterable[Shape] | None) -> str:
    """Several shapes with commas between them; `?` if not even their number is known."""
    return UNKNOWN if values is None else ", ".join(shape(value) for value in values)


def grid(value: Shape) -> str:
    """`26×26×32`, `?×64`, `?`; a scalar is `1`."""
    if value is None:
        return UNKNOWN
    return "×".join(UNKNOWN if length is None else str(length) for length in value) or "1"


def window(sizes: Iterable[int | None]) -> str:
    """A receptive field: `7`, the same along each axis; `3×9`; `all` where it is the whole input."""
    told = ["all" if length is None else str(length) for length in sizes]
    return told[0] if len(set(told)) == 1 else "×".join(told)


def title(call: Call) -> str:
    """`Conv2D`, `ops.add`."""
    return f"ops.{call.name}" if call.namespace == "ops" else call.name


def short(call: Call) -> str:
    """A call as briefly as it can be told.

    What must be given stands without its name, and so do the first argument, an activation and a padding; what is as
    Keras has it anyway is left out.

    Example: `Conv2D(64, 3×3, strides=2, same, no bias)`.
    """
    written = arguments(call)
    return f"{title(call)}({written})" if written else title(call)


def arguments(call: Call) -> str:
    """What stands in the brackets of `short`."""
    known = _parameters(call.namespace, call.name)
    parts = (_argument(name, value, known) for name, value in call.args.items())
    return ", ".join(part for part in parts if part)


@cache
def _parameters(namespace: str, name: str) -> Mapping[str, tuple[int, Parameter]]:
    found = signature(namespace, name)
    return {p.name: (index, p) for index, p in enumerate(found.parameters)} if found else {}


def _argument(name: str, value: Value, known: Mapping[str, tuple[int, Parameter]]) -> str:
    index, parameter = known.get(name, (-1, None))
    if parameter is not None and not parameter.required and _same(value, parameter.default):
        return ""
    if isinstance(value, bool):
        return name if value else f"no {name.removeprefix('use_')}"
    text = _value(value, name)
    if name in _BARE or (parameter is not None and parameter.required):
        return text
    return text if index == 0 and "axis" not in name else f"{name}={text}"


def _same(value: object, default: object) -> bool:
    """Whether Keras takes both for the same: `1` is `(1, 1)`."""
    if isinstance(default, list | tuple) and isinstance(value, int) and not isinstance(value, bool):
        return len(default) > 0 and all(item == value for item in default)
    one, other = (tuple(each) if isinstance(each, list) else each for each in (value, default))
    return type(one) is type(other) and one == other


def _value(value: Value, name: str = "") -> str:
    if isinstance(value, Call):
        return short(value)
    if isinstance(value, Nested):
        return f"<{_nested(value)}>"
    if isinstance(value, list | tuple):
        if name in _GRIDS and value and all(isinstance(item, int) for item in value):
            return "×".join(str(item) for item in value)
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _nested(value: Nested) -> str:
    if not isinstance(value.plan, Plan):
        return "model"
    count = len({step.layer for step in value.plan.steps})
    return f"{count} layer{'' if count == 1 else 's'}"
