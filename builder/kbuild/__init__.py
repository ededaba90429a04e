"""kbuild: data, network, training and search in one spec, built with Keras.

`import kbuild` costs nothing: every name below is imported when it is first asked for (PEP 562).
"""

from typing import TYPE_CHECKING

from kbuild.version import __version__ as __version__

if TYPE_CHECKING:
    from kbuild.api import build as build
    from kbuild.api import check as check
    from kbuild.api import compile as compile
    from kbuild.api import ensemble as ensemble
    from kbuild.plan import verb as plan
    from kbuild.plan.plan import Plan as Plan
    from kbuild.search.study import Study as Study
    from kbuild.search.study import open_study as open_study
    from kbuild.search.tune import tune as tune
    from kbuild.spec.load import load as load
    from kbuild.spec.spec import Spec as Spec
    from kbuild.text.problem import Problem as Problem
    from kbuild.text.problem import SpecError as SpecError
    from kbuild.train.fit import fit as fit
    from kbuild.train.lr import RangeTest as RangeTest
    from kbuild.train.lr import lr as lr
    from kbuild.train.resume import resume as resume
    from kbuild.train.run import Run as Run
    from kbuild.train.run import open_run as open_run

_HOMES = {
    "load": "kbuild.spec.load",
    "check": "kbuild.api",
    "build": "kbuild.api",
    "compile": "kbuild.api",
    "ensemble": "kbuild.api",
    "fit": "kbuild.train.fit",
    "tune": "kbuild.search.tune",
    "open_study": "kbuild.search.study",
    "lr": "kbuild.train.lr",
    "resume": "kbuild.train.resume",
    "open_run": "kbuild.train.run",
    "Spec": "kbuild.spec.spec",
    "Plan": "kbuild.plan.plan",
    "RangeTest": "kbuild.train.lr",
    "Run": "kbuild.train.run",
    "Study": "kbuild.search.study",
    "Problem": "kbuild.text.problem",
    "SpecError": "kbuild.text.problem",
}

__all__ = [
    "Plan",
    "Problem",
    "RangeTest",
    "Run",
    "Spec",
    "SpecError",
    "Study",
    "build",
    "check",
    "compile",
    "ensemble",
    "fit",
    "load",
    "lr",
    "open_run",
    "open_study",
    "plan",
    "resume",
    "tune",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "plan":
        return import_module("kbuild.plan")
    if name not in _HOMES:
        raise AttributeError(f"module `kbuild` has no attribute `{name}`")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
