"""pydantic's errors → Problems: the wording is kbuild's, the place is the user's."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kbuild.spec.names import suggestion
from kbuild.spec.section import Section
from kbuild.spec.spec import span_at
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node
from kbuild.text.problem import Problem, SpecError

S = TypeVar("S", bound=Section)


def validated(section: type[S], values: Mapping[str, Any], path: str, root: Node) -> S:
    """`section` made of `values`.

    Args:
        path: where the section stands, dotted; part of every message.
        root: its node, for the spans.

    Raises:
        SpecError: K101 for unknown keys, K104 for missing ones, K105 for values; all at once.
    """
    try:
        return section(**values)
    except ValidationError as error:
        raise SpecError(_problems(error, section, path, root)) from None


def _problems(error: ValidationError, section: type[BaseModel], path: str, root: Node) -> list[Problem]:
    problems: dict[str, Problem] = {}
    for item in error.errors():
        keys = [str(part) for part in item["loc"] if _written(root, [str(p) for p in item["loc"]], str(part))]
        where = ".".join(keys)
        full = f"{path}.{where}" if where else path
        span = span_at(root, where)
        kind = item["type"]
        if kind == "extra_forbidden":
            key = str(item["loc"][-1])
            node = root.key(key) if isinstance(root, MappingNode) else None
            problem = Problem(
                "K101", f"`{path}` has no key `{key}`", node.span if node else span,
                help=suggestion(key, [name for name in section.model_fields if name != "kind"]), path=full,
            )  # fmt: skip
        elif kind == "missing":
            key = str(item["loc"][-1])
            problem = Problem("K104", f"`{path}` needs `{key}`", span, path=full)
        else:
            said, remedy = _said(item), None
            if kind == "value_error" and "; write " in said:
                said, _, remedy = said.rpartition("; ")
            problem = Problem("K105", f"`{full}`: {said}", span, help=remedy, path=full)
        problems.setdefault(full + (kind if kind in {"extra_forbidden", "missing"} else ""), problem)
    # of a union's complaints, those that lie deepest say most
    return [p for key, p in problems.items() if not any(other.startswith(key + ".") for other in problems)]


def _written(root: Node, loc: list[str], part: str) -> bool:
    """Whether a part of pydantic's location is a key that the user wrote; unions add parts of their own."""
    here: Node | None = root
    for key in loc:
        below = here.get(key) if isinstance(here, MappingNode) else None
        if key == part:
            return below is not None or part.isdigit()
        here = below if below is not None else here
    return False


def _said(item: Any) -> str:
    value = item.get("input")
    context = item.get("ctx", {})
    received = f", not `{_yaml(value)}`"
    match item["type"]:
        case "greater_than":
            return f"must be above {context['gt']:g}{received}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}{received}"
        case "less_than":
            return f"must be below {context['lt']:g}{received}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}{received}"
        case "literal_error":
            return f"must be {context['expected']}{received}"
        case "value_error":
            return str(context.get("error", item["msg"]))
        case "int_type" | "int_from_float" | "int_parsing":
            return f"must be an integer{received}"
        case "float_type":
            return f"must be a number{received}"
        case "bool_type":
            return f"must be `true` or `false`{received}"
        case "string_type":
            return f"must be a string{received}"
        case "list_type" | "tuple_type":
            return f"must be a list{received}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be a map{received}"
    return item["msg"].replace("Input should be", "must be").replace("Value error, ", "") + received


def _yaml(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"
