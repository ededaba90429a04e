"""The ledger of a study: what was written is there, what was torn never happened."""

import json
import os

import pytest

from kbuild.search import ledger
from kbuild.text.problem import SpecError

EVENTS = [{"event": "study", "spec": "a\nb"}, {"event": "trial", "trial": 1, "values": {"é": 0.1}}, {"event": "end"}]


@pytest.fixture
def book(tmp_path):
    path = tmp_path / ledger.NAME
    made = ledger.Ledger(path)
    for event in EVENTS:
        made.add(event)
    made.close()
    return path


def test_what_was_added_is_read(book):
    assert ledger.read(book) == EVENTS


def test_there_is_none_yet(tmp_path):
    assert ledger.read(tmp_path / ledger.NAME) == []


def test_every_torn_end_is_dropped_and_written_over(book):
    content = book.read_bytes()
    starts = [0, *(at + 1 for at, byte in enumerate(content) if byte == ord("\n"))]
    for cut in range(len(content) + 1):
        book.write_bytes(content[:cut])
        whole = sum(start <= cut for start in starts[1:])
        assert ledger.read(book) == EVENTS[:whole]
        made = ledger.Ledger(book)
        made.add({"event": "next"})
        made.close()
        assert ledger.read(book) == [*EVENTS[:whole], {"event": "next"}]


def test_zeros_at_the_end_never_happened(book):
    with book.open("ab") as file:
        file.write(b"\0" * 40 + b"\n")
    assert ledger.read(book) == EVENTS


def test_damage_in_the_middle_is_told(book):
    lines = book.read_bytes().splitlines(keepends=True)
    book.write_bytes(lines[0] + b"{broken\n" + lines[2])
    with pytest.raises(SpecError) as caught:
        ledger.read(book)
    assert caught.value.problems[0].code == "K640"
    assert "line 2" in caught.value.problems[0].message


def test_what_cannot_be_written_is_not_there(book, monkeypatch):
    made = ledger.Ledger(book)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        made.add({"event": "lost"})
    monkeypatch.undo()
    made.add({"event": "kept"})
    made.close()
    assert ledger.read(book) == [*EVENTS, {"event": "kept"}]


def test_what_is_not_finite_is_null(tmp_path):
    made = ledger.Ledger(tmp_path / "l")
    made.add({"event": "end", "score": float("nan")})
    made.close()
    assert json.loads((tmp_path / "l").read_text()) == {"event": "end", "score": None}
