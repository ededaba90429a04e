"""A training under way → Probes of it, now and then, and what is wrong with it in the end."""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kbuild.spec.call import Call
from kbuild.spec.signature import signature
from kbuild.train import atomic, compile
from kbuild.train.findings import Finding, Known, Numbers, Probe, findings
from kbuild.train.job import Job
from kbuild.train.probing import few, probing

EVERY = 2000
"""Steps between two probes. One takes as long as 1 to 40 steps (the most where a step is a few dense layers)."""
FEWEST = 100
"""Steps of a run below which it is not probed: there is nothing to judge yet."""


class Health(keras.callbacks.Callback):
    """Looks at a network at the end of epochs, by the number of the step: every 2,000 steps, and when training ends.

    A probe changes nothing: a run with it has the same numbers, bit for bit, as one without.

    Args:
        path: the run directory; probes are kept in `report/health.json`.
        told: called with each probe.
        start: steps done in an earlier process; its probes are read back.
    """

    async_safe = True

    def __init__(self, job: Job, path: Path, told: Callable[[Probe], None], start: int = 0):
        super().__init__()
        self._job, self._file, self._told = job, path / "report" / "health.json", told
        self._look: Callable[[int, int], Probe] | None = None
        self._of: list[Any] = []
        self.probes = _read(self._file, start)
        self.error: str | None = None

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Probe if it is time to."""
        steps = self._job.train.steps
        done = (epoch + 1) * steps
        ends = epoch + 1 >= self.params["epochs"] or bool(getattr(self._model, "stop_training", False))
        if self.error is None and done >= FEWEST and (ends or done // EVERY > (done - steps) // EVERY):
            self._probe(epoch + 1, done)

    def findings(self, rows: Sequence[Numbers], best: int | None, phase: int = 0) -> list[Finding]:
        """What is wrong, by the last probe and the history; kept in `report/health.json` too. See `known`."""
        found = findings(self.probes[-1] if self.probes else None, rows, known(self._job, best, phase))
        self._write(found)
        return found

    def _probe(self, epoch: int, done: int) -> None:
        model: Any = self.model
        try:
            # a phase may train other variables, with another optimizer
            trained = [model.optimizer, *model.trainable_variables]
            if self._look is None or list(map(id, trained)) != list(map(id, self._of)):
                self._look, self._of = probing(self._job), trained
            found = self._look(epoch, done)
        except Exception as error:
            # a look at a training must not end it: no room beside it, an operation that cannot be differentiated
            self.error = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            self._write([])
            return
        self.probes.append(found)
        self._write([])
        self._told(found)

    def _write(self, found: Sequence[Finding]) -> None:
        values = {"probes": self.probes, "findings": found}
        plain = {name: [dataclasses.asdict(one) for one in several] for name, several in values.items()}
        atomic.write_json(self._file, {**plain, "error": self.error})


def known(job: Job, best: int | None, phase: int = 0) -> Known:
    """What is known of a run beside its numbers.

    Args:
        best: the best epoch, from 1.
        phase: the last that was begun, from 0, for which the model is compiled.
    """
    train = job.phases[phase].spec.train
    call = inner(train.optimizer)
    found = signature(call.namespace, call.name)
    usual = next((p.default for p in found.parameters if p.name == "learning_rate"), None) if found else None
    targets = [values for head in job.heads if head.task == "regression" for values in _targets(job, head.output)]
    return Known(
        optimizer=call.name,
        rate=compile.base_rate(job.model.optimizer),
        usual=float(usual) if isinstance(usual, int | float) else None,
        clipped=any(call.args.get(name) is not None for name in ("clipnorm", "clipvalue", "global_clipnorm")),
        scale=max([1.0, *(float(np.square(values, dtype="float64").mean()) for values in targets)]),
        validation=len(job.dataset.validation or ()),
        stops=train.early_stopping is not None,
        best=best,
    )


def inner(call: Call) -> Call:
    """The optimizer that others are wrapped around."""
    found = next((call.args[name] for name in ("inner_optimizer", "optimizer") if name in call.args), None)
    return inner(found) if isinstance(found, Call) else call


def _targets(job: Job, output: str) -> list[np.ndarray]:
    y = few(job).y
    return [np.asarray(y[output])] if output in y else []


def _read(file: Path, before: int) -> list[Probe]:
    """The probes of an earlier process, up to a step."""
    try:
        found = json.loads(file.read_text("utf-8"))["probes"] if before and file.is_file() else []
        return [Probe(**_map(one)) for one in found if one["step"] <= before]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _map(value: Mapping[str, Any]) -> dict[str, Any]:
    """A probe as it was written, with what was not finite as NaN again."""
    return {
        name: {key: math.nan if number is None else number for key, number in part.items()}
        if isinstance(part, dict) else math.nan if part is None else part
        for name, part in value.items()
    }  # fmt: skip
