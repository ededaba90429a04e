"""`# kbuild: ignore K333`: on the line, or on a line of its own for the whole file; a code that is no rule is told."""

import pytest

from kbuild.plan.check import check
from kbuild.spec.load import load
from kbuild.text.problem import SpecError

SPEC = """kbuild: 1
{top}
model:
  inputs: {{x: {{shape: [4]}}}}
  layers:
    - Dense: 3
    - Dense: {{units: 1, activation: softmax}}{end}
"""


def found(top="", end="", text=SPEC):
    try:
        return check(load(text.format(top=top, end=end))).problems
    except SpecError as error:
        return error.problems


def codes(*args, **kwargs):
    return {problem.code for problem in found(*args, **kwargs)}


def test_says_so_without_a_comment():
    assert "K333" in codes()


@pytest.mark.parametrize(
    "comment",
    [
        "# kbuild: ignore K333",
        "#kbuild:ignore K310,K333",
        "# why not  # kbuild: ignore K310 , K333",
        "# kbuild: ignore K310 K333",
    ],
)
def test_is_silent_on_its_line_and_in_its_file(comment):
    assert "K333" not in codes(end=f"  {comment}")
    assert "K333" not in codes(top=comment)


def test_a_line_speaks_for_itself_only():
    assert "K333" in codes(text=SPEC.replace("- Dense: 3", "- Dense: 3  # kbuild: ignore K333"))


@pytest.mark.parametrize("comment", ["# ignore K333", "# kbuild: K333", "# kbuild: ignore", "# kbuild: ignore K310"])
def test_other_comments_silence_nothing(comment):
    assert "K333" in codes(top=comment)


def test_what_is_no_rule_cannot_be_silenced_and_is_told():
    problems = [p for p in found(top="# kbuild: ignore K333, K207") if p.code == "K300"]
    assert [(p.code, p.severity, p.message) for p in problems] == [
        ("K300", "warning", "there is no rule `K207` to ignore"),
    ]
    assert (problems[0].span.line, problems[0].span.column) == (2, 24)


def test_mistakes_of_the_graph_are_never_silent():
    wrong = SPEC.replace("- Dense: 3", "- Conv2D: {{filters: 3, kernel_size: 3}}")
    assert "K207" in codes(top="# kbuild: ignore K207", text=wrong)


def test_a_base_silences_itself(tmp_path):
    (tmp_path / "base.yaml").write_text(SPEC.format(top="", end="  # kbuild: ignore K333"))
    upper = tmp_path / "upper.yaml"
    upper.write_text("kbuild: 1\nextends: base.yaml\nname: upper\n")
    assert "K333" not in {problem.code for problem in check(load(upper)).problems}
