"""`from` and the names in it: what they stand for, and what is said of a name that stands for nothing."""

import pytest

from kbuild.plan.graph import Bound, Feed, Frame, Here
from kbuild.plan.plan import Ref
from kbuild.plan.refer import feed, reference
from kbuild.spec.scope import Scope
from kbuild.text.node import node
from kbuild.text.problem import SpecError

PREVIOUS = Feed((Ref("above"),))


@pytest.fixture
def here():
    copies = tuple(Bound((Ref(f"s-{i}"),), {"skip": Ref(f"s-{i}-act")}) for i in range(3))
    outer = Frame(
        names={"x": Bound((Ref("x"),)), "enc": Bound((Ref("enc"),), {"h": Ref("enc", 1), "c": Ref("enc", 2)})}
    )
    frame = Frame(outer=outer, names={"s": Bound(copies[-1].tensors, copies[-1].named, copies)}, coming={"later"})
    return Here(frame, Scope({"which": node("enc.h")}), Feed((Ref("x"),)), Scope())


@pytest.mark.parametrize(
    ("written", "refs"),
    [
        ("x", [Ref("x")]),
        ("enc", [Ref("enc")]),
        ("enc.c", [Ref("enc", 2)]),
        ("s", [Ref("s-2")]),
        ("s-0", [Ref("s-0")]),
        ("s.skip", [Ref("s-2-act")]),
        ("s-1.skip", [Ref("s-1-act")]),
        ("s-*", [Ref("s-0"), Ref("s-1"), Ref("s-2")]),
        ("s-*.skip", [Ref("s-0-act"), Ref("s-1-act"), Ref("s-2-act")]),
    ],
)
def test_a_name_stands_for_tensors(here, written, refs):
    assert list(reference(node(written), here)) == refs


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (None, PREVIOUS),
        ("previous", PREVIOUS),
        ("input", Feed((Ref("x"),))),
        ("$which", Feed((Ref("enc", 1),))),
        (["previous", "enc.h"], Feed((Ref("above"), Ref("enc", 1)), listed=True)),
        (["x"], Feed((Ref("x"),), listed=True)),
        ("s-*", Feed((Ref("s-0"), Ref("s-1"), Ref("s-2")), listed=True)),
        (["x", "s-*"], Feed((Ref("x"), Ref("s-0"), Ref("s-1"), Ref("s-2")), listed=True)),
        (
            {"sequences": "previous", "initial_state": ["enc.h", "enc.c"]},
            Feed(by_name={"sequences": PREVIOUS, "initial_state": Feed((Ref("enc", 1), Ref("enc", 2)), listed=True)}),
        ),
    ],
)
def test_from_has_three_forms(here, written, wanted):
    assert feed(None if written is None else node(written), here, PREVIOUS) == wanted


@pytest.mark.parametrize(
    ("written", "code", "message", "help"),
    [
        ("ench", "K201", "there is no entry `ench` above", "did you mean `enc`?"),
        ("later", "K201", "`later` stands further down", "an entry sees only what stands above it"),
        ("enc.hh", "K201", "`enc` has no output `hh`", "did you mean `h`?"),
        ("x.h", "K201", "`x` has no output `h`", "name its outputs with `outputs: […]`"),
        ("s-3", "K201", "`s` has 3 copies, there is no `s-3`", "the last one is `s-2`"),
        ("enc-0", "K201", "`enc` is not repeated, so there is no `enc-0`", "write `enc`"),
        ("A/b", "K201", "`A/b` is no reference", "write a name, `name-0`, `name-*`, `name.output`"),
        (0, "K205", "`from` takes names of entries, not `0`", "write `from: previous` or a name"),
        ([-1], "K205", "`from` takes names of entries, not `-1`", "write `from: previous` or a name"),
        ([], "K205", "`from` is empty", "name an entry, or leave `from` out"),
        (["x", ["x"]], "K205", "`from` takes names of entries, not `[x]`", "write `from: previous` or a name"),
    ],
)
def test_what_is_no_reference(here, written, code, message, help):
    with pytest.raises(SpecError) as caught:
        feed(node(written), here, PREVIOUS)
    assert [(p.code, p.message, p.help) for p in caught.value.problems] == [(code, message, help)]
