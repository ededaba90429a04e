"""Run directories → members of an ensemble, held against each other. Raises SpecError K606, K630."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kbuild.spec.spec import Spec
from kbuild.text.problem import Problem, SpecError
from kbuild.train import rundir, runset, score

CLASSES = ("binary", "multiclass", "multilabel")


@dataclass(frozen=True, slots=True)
class Joining:
    """A run that is to be part of an ensemble.

    Args:
        info: what its `run.json` says.
    """

    path: Path
    info: Mapping[str, Any]
    spec: Spec

    @property
    def outputs(self) -> Sequence[Mapping[str, Any]]:
        """What `run.json` says of its outputs: `name`, `task`, `classes`, `count`, `logits`."""
        return self.info["outputs"]


def joining(paths: Sequence[Path], trust: bool) -> tuple[Joining, ...]:
    """The runs at `paths`, of a set those of its members that are done.

    Raises:
        SpecError: K603–K605 if one is no run, K606 if one is not done, K630 if there are fewer than two, one is there
            twice, or they do not take and give the same.
    """
    found: list[Joining] = []
    for path in (one for given in paths for one in _runs(Path(given))):
        info = rundir.info(path)
        if info.get("status") != "done" or not (path / "model.keras").is_file():
            help = "an ensemble is made of trainings that came to their end; leave it out, or go on with it"
            raise SpecError(
                Problem("K606", f"the run `{path}` is not done: its status is `{info['status']}`", help=help)
            )
        if runset.is_ensemble(info):
            raise _unfit(f"`{path}` is an ensemble itself", "give the runs that it was made of")
        if any(path.resolve() == other.path.resolve() for other in found):
            raise _unfit(f"`{path}` is given twice", "give every run once")
        found.append(Joining(path, info, score.spec_of(path, trust)))
    if len(found) < 2:
        raise _unfit("an ensemble needs two runs or more", "give several runs, or a set of `train.repeats` or folds")
    for other in found[1:]:
        _agree(found[0], other)
    return tuple(found)


def _runs(path: Path) -> Iterator[Path]:
    info = rundir.info(path)
    if not runset.is_set(info):
        yield path
        return
    done = runset.open_set(path, info).done
    if not done:
        raise SpecError(Problem("K606", f"no member of `{path}` has come to its end"))
    yield from (run.path for run in done)


def _agree(one: Joining, other: Joining) -> None:
    """Raise SpecError K630 unless two runs take and give the same."""
    for key, what in (("inputs", "takes"), ("outputs", "gives")):
        here, there = _facts(one, key), _facts(other, key)
        if here != there:
            name = next((name for name in {**here, **there} if here.get(name) != there.get(name)), "")
            said = f"`{other.path}` {what} {_said(name, there)}, and `{one.path}` {_said(name, here)}"
            raise _unfit(said, "join runs that were trained for the same")
    if _encoding(one.path) != _encoding(other.path):
        message = f"`{other.path}` and `{one.path}` encode the columns of their table otherwise"
        help = "what a table is encoded with is learned from the training part: train the members on one split, with "
        raise _unfit(message, f"{help}`train.repeats`, perhaps `train.bootstrap`, or with the same `data.split.seed`")


def _facts(one: Joining, key: str) -> dict[str, object]:
    """What has to be the same, by name."""
    if key == "inputs":
        return {name: (tuple(of["shape"]), of["dtype"]) for name, of in one.info["inputs"].items()}
    return {of["name"]: (of["task"], of["count"], tuple(of["classes"])) for of in one.outputs}


def _said(name: str, facts: Mapping[str, Any]) -> str:
    if name not in facts:
        return f"nothing named `{name}`"
    told = " ".join(str(fact) for fact in facts[name] if fact not in (None, ()))
    return f"`{name}` {told}"


def _encoding(path: Path) -> object:
    file = path / "encoding.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def _unfit(message: str, help: str) -> SpecError:
    return SpecError(Problem("K630", message, help=help))
