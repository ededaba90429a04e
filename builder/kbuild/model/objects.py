"""Call → the live Keras object it names. Looks up public names only and never deserializes what a spec says."""

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from kbuild.model.use import used
from kbuild.spec.call import Call, Nested
from kbuild.spec.signature import LOADERS, NAMESPACES
from kbuild.text.problem import Problem, SpecError
from kbuild.text.source import Span

FUNCTIONS = frozenset({"ops", "activations", "applications"})
# Keras casts the other numbers of a schedule to the type of its first: an int here would turn a decay of 0.9 into 0.
RATES = frozenset(
    {"learning_rate", "initial_learning_rate", "end_learning_rate", "decay_rate", "warmup_target", "values"}
)
MESSAGE_LENGTH = 300
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


def make(call: Call, *, name: str | None = None, nested: Callable[[object], object] | None = None) -> Any:
    """The object that a checked call stands for.

    Args:
        call: an `identifier` gives its string, `ops` and `activations` give the function itself (its arguments come
            from `arguments`), `applications` the model, every other namespace an instance.
        name: the layer's name in Keras.
        nested: builds the model of a `Nested` from its plan; needed only where the call holds one.

    Raises:
        SpecError: K105 if Keras refuses the arguments, K101 if there is no such public name.
    """
    if call.namespace == "identifier":
        return call.name
    target = find(call)
    if call.namespace in {"ops", "activations"}:
        return target
    given = arguments(call, nested=nested)
    if name is not None:
        given["name"] = name
    try:
        return target(**given)
    except SpecError:
        raise
    except Exception as error:
        # Keras refuses values with every kind of exception, ZeroDivisionError included.
        raise SpecError(refused(call, error)) from error


def arguments(call: Call, *, nested: Callable[[object], object] | None = None) -> dict[str, object]:
    """The call's arguments by name, with every call among them made, as Keras takes them."""
    target = find(call)
    defaults = _defaults(target)
    return {
        key: _suited(call, key, _value(value, nested, call.spans.get(key, call.span)), defaults.get(key))
        for key, value in call.args.items()
    }


def suited(call: Call) -> dict[str, object]:
    """The call's arguments by name, as Keras takes them, with the calls among them not made."""
    defaults = _defaults(find(call))
    return {key: _suited(call, key, value, defaults.get(key)) for key, value in call.args.items()}


def find(call: Call) -> Callable[..., Any]:
    """The public class or function that a call names; raises SpecError K101 if there is none."""
    # KerasTuner publishes `RandomSearchOracle`; a spec says `RandomSearch`
    name = f"{call.name}Oracle" if call.namespace == "oracles" else call.name
    for path in NAMESPACES.get(call.namespace, ()):
        found = vars(_module(path, call)).get(name)
        public = not call.name.startswith("_") and call.name not in LOADERS
        if public and callable(found) and inspect.isclass(found) != (call.namespace in FUNCTIONS):
            return found
    mine = used().get(call.name)
    if mine is not None:
        return mine
    raise SpecError(
        Problem("K101", f"there is no `{call.name}` among the {call.namespace} of the installed Keras", call.span)
    )


def refused(call: Call, error: Exception) -> Problem:
    """What Keras said when it refused a call's arguments, as a problem where the guilty argument stands."""
    message = f"`{call.name}` refuses its arguments: {sentence(error)}"
    return Problem("K105", message, _guilty(call, str(error)) or call.span)


def sentence(error: BaseException) -> str:
    """The first paragraph of an exception's message that says something, in one line, without a final period."""
    text = _COLOR.sub("", str(error)).strip()
    if text.startswith("Graph execution error"):
        # TensorFlow says where first, then a line of what, then the node in double brackets
        lines = [line.strip() for line in text.split("[[")[0].splitlines() if line.strip()]
        text = lines[-1] if len(lines) > 1 else text
    elif text.startswith("Exception encountered when calling") and "\n\n" in text:
        text = text.split("\n\n", 1)[1].strip()
    text = text.split("\n\n")[0]
    text = " ".join(text.split()) or type(error).__name__
    if len(text) > MESSAGE_LENGTH:
        text = text[:MESSAGE_LENGTH].rsplit(" ", 1)[0] + " …"
    return text.rstrip(".")


def _module(path: str, call: Call) -> ModuleType:
    try:
        return importlib.import_module(path)
    except ImportError as error:
        if call.namespace != "oracles":
            raise
        problem = Problem("K106", f"`{call.name}` needs KerasTuner", call.span, help="pip install keras-tuner")
        raise SpecError(problem) from error


def _value(value: object, nested: Callable[[object], object] | None, span: Span | None = None) -> object:
    match value:
        case Call():
            return make(value, nested=nested)
        case Nested():
            if nested is None:
                raise SpecError(Problem("K107", "a block cannot stand here", value.span, help="write a Keras layer"))
            return nested(value.plan)
        case list() | tuple():
            return [_value(item, nested, span) for item in value]
        case dict():
            _plain(value, span)
            return {key: _value(item, nested, span) for key, item in value.items()}
    return value


def _plain(value: Mapping[str, object], span: Span | None) -> None:
    # Constructors deserialize such maps, and that can run code.
    if "class_name" in value:
        message = f"`{value['class_name']}` is written as a Keras config, which kbuild does not load"
        raise SpecError(Problem("K110", message, span, help="write a call: `Name: {argument: value}`"))


def _defaults(target: Callable[..., object]) -> dict[str, object]:
    try:
        return {key: entry.default for key, entry in inspect.signature(target).parameters.items()}
    except (TypeError, ValueError):
        return {}


def _suited(call: Call, key: str, value: object, default: object) -> object:
    """The value in the type that Keras wants where a spec writes its neighbour: 1 for 1.0, a list for a tuple."""
    if call.namespace in {"optimizers", "schedules"} and (key in RATES or isinstance(default, float)):
        return _floats(value)
    if isinstance(value, list) and (isinstance(default, tuple) or key.endswith("_shape")):
        return _tuples(value)
    return value


def _floats(value: object) -> object:
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _tuples(value: object) -> object:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _guilty(call: Call, message: str) -> Span | None:
    named = [key for key in call.spans if re.search(rf"`{key}`|\b{key}=", message)]
    return call.spans[named[0]] if len(named) == 1 else None
