"""What a notebook shows of a plan."""

from html.parser import HTMLParser
from types import SimpleNamespace

from networks import plan_of

from kbuild.plan.draw.page import MOST_DRAWN

VOID = {"br", "meta"}


class Reader(HTMLParser):
    """Closes what is opened; counts tags and keeps text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: dict[str, int] = {}
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_groups_fold_by_a_click(residual):
    found = read(residual._repr_html_())
    # the repeat, three copies, a branch in each, and the drawing
    assert found.count["details"] == 1 + 3 + 3 + 1
    assert found.count["svg"] == 1
    assert "script" not in found.count
    assert {"stage ×3", "block cell", "parameters: 166 (166 trainable)"} <= set(found.text)


def test_a_terminal_shows_the_table(residual):
    shown: list[str] = []
    residual._repr_pretty_(SimpleNamespace(text=shown.append), cycle=False)
    assert shown == [str(residual)]
    assert str(residual).split("\n")[0].split() == ["layer", "call", "from", "output", "parameters", "share", "FLOPs"]


def test_a_very_large_network_is_not_drawn():
    plan = plan_of(
        f"kbuild: 1\nmodel: {{inputs: {{x: {{shape: [2]}}}}, layers: [{{ReLU: null, repeat: {MOST_DRAWN + 1}}}]}}\n"
    )
    assert "svg" not in read(plan._repr_html_()).count
