"""(Net) → Problems: every rule's, without those that the spec says to ignore."""

import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import cast

from kbuild.plan.rules.ignore import ignored, unknown
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import Rule
from kbuild.text.problem import Problem
from kbuild.text.source import Source, Span

_GRAVITY = ("error", "warning", "hint")


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by code: the modules of this folder that have one."""
    modules = [
        import_module(f"{__package__}.{info.name}") for info in pkgutil.iter_modules([str(Path(__file__).parent)])
    ]
    found = [cast(Rule, module) for module in modules if hasattr(module, "CODE")]
    return {rule.CODE: rule for rule in sorted(found, key=lambda rule: rule.CODE)}


def lint(net: Net) -> list[Problem]:
    """What the rules say of a network, one problem for each place and code, the gravest: copies of a repeat say the
    same.
    """
    seen: dict[tuple[str, Span | str], Problem] = {}
    for rule in rules().values():
        for problem in rule.find(net):
            place = (problem.code, problem.span or problem.message)
            if place not in seen or _GRAVITY.index(problem.severity) < _GRAVITY.index(seen[place].severity):
                seen[place] = problem
    sources = net.spec.sources if net.spec else ()
    return [*kept(seen.values(), sources), *unknown(sources, rules())]


def kept(problems: Iterable[Problem], sources: Iterable[Source]) -> list[Problem]:
    """The problems that no comment of the spec silences."""
    whole = tuple(sources)
    return [problem for problem in problems if not ignored(problem, whole)]
