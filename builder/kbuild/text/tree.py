"""Events → Node, within limits: keys checked, scalars resolved, aliases expanded, every mistake collected."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from dataclasses import replace as changed

from kbuild.text.event import Event
from kbuild.text.lines import Lines, lines
from kbuild.text.node import Mapping, Node, Scalar, Sequence
from kbuild.text.problem import Problem, Related, SpecError
from kbuild.text.scalar import ScalarError, Value, resolve, shown
from kbuild.text.source import Source, Span

DEPTH = 64
NODES = 200_000

_PROBLEMS = 100
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"!\S*")
# To YAML, `{units:32}` is the key `units:32` without a value. That is never what was meant.
_NO_SPACE = re.compile(r"([A-Za-z_$][\w.]*):(\S.*)")


def tree(source: Source, events: Iterable[Event]) -> Node | None:
    """The value that `events` spell out; None if they are none.

    Raises:
        SpecError: all mistakes up to the first that ends the reading (at most 100). K002 a surrogate, K007 more than
            `DEPTH` collections in each other, K008 more than `NODES` values once aliases are expanded, K009 a tag,
            K010 a duplicate key, K011 a key that is no string, K012 a merge key, K013 and K014 numbers, K015 an alias
            without anchor or inside its own, K016 no space after a colon; and what iterating over `events` raises.
    """
    maker = _Maker(lines(source))
    try:
        for event in events:
            maker.take(event)
            if len(maker.problems) >= _PROBLEMS:
                break
    except SpecError as error:
        maker.problems.extend(error.problems)
    if maker.problems:
        raise SpecError(maker.problems)
    return maker.root


@dataclass(slots=True)
class _Anchored:
    """What an alias stands for: how many values, how many levels. `node` is None while its collection is open."""

    node: Node | None = None
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    event: Event
    before: int
    is_key: bool
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Scalar, Node]] = field(default_factory=list)
    seen: dict[str, Span] = field(default_factory=dict)
    key: Scalar | None = None
    key_is_plain: bool = False
    dropped: bool = False
    last: int = 0
    height: int = 1

    @property
    def wants_key(self) -> bool:
        return self.event.kind == "map" and self.key is None


@dataclass(slots=True)
class _Maker:
    """The tree so far. Iterative, so that the depth of a text is never that of Python's stack."""

    lines: Lines
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    size: int = 0
    root: Node | None = None

    def take(self, event: Event) -> None:
        if event.tag is not None:
            found = _TAG.search(self.lines.source.text, event.start)
            start, end = found.span() if found else (event.start, event.end)
            text = self.lines.source.text[start:end]
            advice = "remove it: the value alone decides what it is; quote text that begins with `!`"
            self._report("K009", f"tags such as {shown(text)} are not allowed", start, end, advice)
        match event.kind:
            case "scalar":
                self._scalar(event)
            case "alias":
                self._alias(event)
            case "end":
                self._close(event)
            case _:
                self._open(event)

    def _scalar(self, event: Event) -> None:
        span = self.lines.span(event.start, event.end)
        if _SURROGATE.search(event.text):
            advice = r"write the character itself, or both halves of its pair"
            self._report("K002", "half of a surrogate pair is no character", event.start, event.end, advice)
        is_key = bool(self.stack) and self.stack[-1].wants_key
        if is_key:
            node = self._key(event, span)
        else:
            node = Scalar(event.text if event.quoted else self._value(event), span)
            self._check_space(event)
            self._grow(1, event)
            self._put(node, event.end, 0)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(node)

    def _value(self, event: Event) -> Value:
        try:
            return resolve(event.text)
        except ScalarError as error:
            self._report(error.code, error.message, event.start, event.end, error.help)
            return event.text

    def _key(self, event: Event, span: Span) -> Scalar:
        name = event.text
        if not event.quoted:
            try:
                is_text = isinstance(resolve(name), str)
            except ScalarError:
                is_text = False
            if not is_text:
                what = f"the key {shown(name)} is not a string" if name else "a key is missing before `:`"
                self._report("K011", what, event.start, event.end, f'quote it: `"{name}"`' if name else "write the key")
            elif name == "<<":
                advice = "write the keys out, or use `extends`"
                self._report("K012", "merge keys `<<` are not allowed", event.start, event.end, advice)
        key = Scalar(name, span)
        self._start_pair(key, event.end)
        self.stack[-1].key_is_plain = not event.quoted
        return key

    def _start_pair(self, key: Scalar, end: int) -> None:
        top = self.stack[-1]
        top.key, top.last, top.dropped = key, max(top.last, end), False
        first = top.seen.setdefault(str(key.value), key.span)
        if first is not key.span:
            place = f"on line {first.line}" if first.line != key.span.line else f"in column {first.column} of this line"
            message = f"duplicate key {shown(str(key.value))}, already {place}"
            related = (Related("first here", first),)
            self.problems.append(
                Problem("K010", message, key.span, help="remove one of the two", related=related, path=self._path())
            )
            top.dropped = True

    def _check_space(self, event: Event) -> None:
        top = self.stack[-1] if self.stack else None
        if event.quoted or event.text or top is None or top.key is None or not (top.event.flow and top.key_is_plain):
            return
        if found := _NO_SPACE.fullmatch(str(top.key.value)):
            end = event.start
            start = end - len(found[0]) if self.lines.source.text[:end].endswith(found[0]) else end
            message = f"{shown(found[0])} has no space after its colon"
            self._report("K016", message, start, end, f"write {shown(f'{found[1]}: {found[2]}')}")

    def _alias(self, event: Event) -> None:
        known = self.anchors.get(event.text)
        top = self.stack[-1] if self.stack else None
        if known is None or known.node is None:
            what = "has no anchor" if known is None else "stands inside what it names"
            advice = (
                f"write `&{event.text}` before the value that it repeats, above"
                if known is None
                else "write the value out"
            )
            self._report("K015", f"the alias {shown('*' + event.text)} {what}", event.start, event.end, advice)
            known = _Anchored(Scalar(None, self.lines.span(event.start, event.end)))
        node = known.node
        assert node is not None
        node = changed(node, span=self.lines.span(event.start, event.end))
        if top is not None and top.wants_key:
            if not (isinstance(node, Scalar) and isinstance(node.value, str)):
                self._report("K011", "this key is not a string", event.start, event.end, "write a string")
                node = Scalar("", node.span)
            self._start_pair(node, event.end)
            return
        if len(self.stack) + known.height > DEPTH:
            self._stop("K007", f"more than {DEPTH} collections stand in each other", event)
        self._grow(known.size, event)
        self._put(node, event.end, known.height)

    def _open(self, event: Event) -> None:
        is_key = bool(self.stack) and self.stack[-1].wants_key
        if is_key:
            advice = "write a string; a value such as `{a: 1}` cannot be a key"
            self._report("K011", "this key is not a string", event.start, event.end, advice)
        if len(self.stack) >= DEPTH:
            self._stop("K007", f"more than {DEPTH} collections stand in each other", event)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored()
        self.stack.append(_Open(event, self.size, is_key, last=event.end))
        self._grow(1, event)

    def _close(self, event: Event) -> None:
        top = self.stack.pop()
        end = event.end if top.event.flow else top.last
        span = self.lines.span(top.event.start, end)
        node = Mapping(tuple(top.pairs), span) if top.event.kind == "map" else Sequence(tuple(top.items), span)
        if top.event.anchor is not None:
            self.anchors[top.event.anchor] = _Anchored(node, self.size - top.before, top.height)
        if top.is_key:
            outer = self.stack[-1]
            outer.key, outer.key_is_plain, outer.dropped = Scalar("", span), False, True
        else:
            self._put(node, end, top.height)

    def _put(self, node: Node, end: int, height: int) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.last, top.height = max(top.last, end), max(top.height, height + 1)
        if top.event.kind == "list":
            top.items.append(node)
        else:
            if top.key is not None and not top.dropped:
                top.pairs.append((top.key, node))
            top.key = None

    def _grow(self, size: int, event: Event) -> None:
        self.size += size
        if self.size > NODES:
            how = " once its aliases are expanded" if self.anchors else ""
            self._stop("K008", f"more than {NODES:,} values{how}", event)

    def _path(self) -> str | None:
        parts = [
            str(level.key.value) if level.key else str(len(level.items))
            for level in self.stack
            if level.key or level.event.kind == "list"
        ]
        return ".".join(parts) or None

    def _report(self, code: str, message: str, start: int, end: int, advice: str) -> None:
        self.problems.append(Problem(code, message, self.lines.span(start, end), help=advice, path=self._path()))

    def _stop(self, code: str, message: str, event: Event) -> None:
        span = self.lines.span(event.start, event.end)
        advice = "use a block, `repeat` or `extends` to say it in less"
        raise SpecError(Problem(code, message, span, help=advice, path=self._path()))
