"""YAML text → Events, by PyYAML's scanner and parser; its resolver, composer and constructor are not used."""

import re
from collections.abc import Iterator

import yaml

from kbuild.text.event import Event
from kbuild.text.lines import lines
from kbuild.text.problem import Problem, Related, SpecError
from kbuild.text.source import Source
from kbuild.text.yaml_syntax import explain

# libyaml's parser is fifty times as fast and has the same events; both are iterative, so depth costs them nothing.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def yaml_events(source: Source, loader: type = LOADER) -> Iterator[Event]:
    """The events of the one document in a YAML text; none for an empty one.

    Args:
        loader: a loader class of PyYAML.

    Raises:
        SpecError: K004 where the text stops being YAML, K006 where a second document begins.
    """
    documents = 0
    try:
        for event in yaml.parse(source.text, Loader=loader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    raise SpecError(_second_document(source, event.start_mark.index))
            elif ours := _event(event, source.text):
                yield ours
    except yaml.MarkedYAMLError as error:
        raise SpecError(_problem(source, error)) from None


def _event(event: yaml.Event, text: str) -> Event | None:
    start, end = event.start_mark.index, event.end_mark.index
    match event:
        case yaml.ScalarEvent():
            if event.style in ("|", ">"):
                end = start + len(text[start:end].rstrip())
            return Event("scalar", start, end, event.value, bool(event.style), True, event.anchor, event.tag)
        case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
            kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
            return Event(kind, start, end, "", False, bool(event.flow_style), event.anchor, event.tag)
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            return Event("end", start, end)
        case yaml.AliasEvent():
            return Event("alias", start, end, event.anchor)
    return None


def _second_document(source: Source, start: int) -> Problem:
    width = 3 if source.text.startswith("---", start) else 1
    advice = "a file holds one spec: put the other into its own file, or remove the `---`"
    return Problem("K006", "a second document begins here", lines(source).span(start, start + width), help=advice)


def _problem(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    where = lines(source)
    mark = error.problem_mark or error.context_mark
    at = mark.index if mark else 0
    began = error.context_mark.index if error.context_mark else None
    found = explain(source.text, at, began, error.context or "", error.problem or "")
    related = () if found.opened is None else (Related("it begins here", where.span(found.opened, found.opened + 1)),)
    code = "K009" if re.search("tag", f"{error.context} {error.problem}") else "K004"
    return Problem(code, found.message, where.span(found.start, found.end), help=found.help, related=related)
