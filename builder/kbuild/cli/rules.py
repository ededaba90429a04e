"""rules: what the linter looks for, and the page of each rule."""

from typing import TYPE_CHECKING, Annotated

import typer

from kbuild.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from kbuild.plan.rules.page import Page

Code = Annotated[str | None, typer.Argument(metavar="CODE", help="A rule, such as K310.")]


def rules(code: Code = None, as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """List the rules of `check`, or show the page of one."""
    from kbuild.cli.output import say, say_json, show_table
    from kbuild.plan.rules.lint import rules as found
    from kbuild.plan.rules.page import page
    from kbuild.spec.names import suggestion
    from kbuild.text.problem import Problem, SpecError

    if code is not None and code not in found():
        help = suggestion(code, found(), "`kbuild rules` lists them")
        raise SpecError(Problem("K102", f"there is no rule `{code}`", help=help))
    pages = [page(rule) for rule in found().values() if code in (None, rule.CODE)]
    if as_json:
        say_json(
            [{"code": p.code, "severity": p.severity, "title": p.title, "sections": dict(p.sections)} for p in pages]
        )
    elif code is not None:
        say(pages[0].text)
    else:
        show_table(["code", "severity", "what it finds"], [[p.code, p.severity, p.title] for p in pages])
        say()
        say("kbuild rules CODE shows one with its reason, an example and what to write instead.")


def _json(page: "Page") -> dict[str, object]:
    return {"code": page.code, "severity": page.severity, "title": page.title, "sections": dict(page.sections)}
