"""Study → what TensorBoard is told of it: its holes and what was measured, the columns of its table of trials.

The rows are in the event files of the trials themselves. Until a study ends, TensorBoard finds the columns by looking
at those.
"""

import importlib
import time
from collections.abc import Iterator
from typing import Any

from kbuild.search.axes import Axis, axes
from kbuild.search.study import FOLDER, Study
from kbuild.train.events import Events, cut

EVENTS = "tensorboard"


def board(study: Study) -> None:
    """Describe the columns, in place of what was told before; nothing where the trials tell TensorBoard nothing.

    Raises:
        OSError: the disk refuses.
    """
    if study.best is None or next((study.path / FOLDER).rglob(EVENTS), None) is None:
        return
    told = _api().Experiment(
        name=study.path.name,
        description=f"{study.direction}imum of {study.objective}",
        time_created_secs=time.time(),
        hparam_infos=[_hole(study, axis) for axis in axes(study)],
        metric_infos=list(_metrics(study)),
    )
    folder = study.path / EVENTS
    cut(folder, -1)
    events = Events(folder)
    data: Any = importlib.import_module("tensorboard.plugins.hparams.plugin_data_pb2")
    content = data.HParamsPluginData(version=0, experiment=told)
    events.plugin("_hparams_/experiment", "hparams", content.SerializeToString())
    events.close()


def _hole(study: Study, axis: Axis) -> Any:
    api = _api()
    values = [trial.values[axis.path] for trial in study.ranked if axis.path in trial.values]
    info = api.HParamInfo(name=axis.path, display_name=axis.label, description=axis.path)
    info.differs = len(set(values)) > 1 or axis.conditional
    if all(isinstance(value, bool) for value in values):
        info.type = api.DATA_TYPE_BOOL
        info.domain_discrete.extend([False, True])
    elif axis.scale == "category":
        info.type = api.DATA_TYPE_STRING
        info.domain_discrete.extend(axis.labels)
    else:
        info.type = api.DATA_TYPE_FLOAT64
        info.domain_interval.min_value, info.domain_interval.max_value = axis.low, axis.high
    return info


def _metrics(study: Study) -> Iterator[Any]:
    """The objective of the epoch that is kept, then the others of it, the test's, and the curve of the objective."""
    api = _api()
    ranked = study.ranked
    best = dict.fromkeys([study.objective, *(name for trial in ranked for name in trial.metrics)])
    tests = dict.fromkeys(name for trial in ranked for name in trial.test)
    shown = [(f"best/{name}", name) for name in best] + [(f"test/{name}", f"test {name}") for name in tests]
    for tag, name in shown:
        yield api.MetricInfo(name=api.MetricName(tag=tag), display_name=name)
    bare = study.objective.removeprefix("val_")
    part = "train" if bare == study.objective else "validation"
    curve = api.MetricName(tag=f"epoch_{bare}", group=part)
    yield api.MetricInfo(name=curve, display_name=f"{study.objective}, last epoch", description="its curve")


def _api() -> Any:
    # imported where it is used: it costs time, and its messages are made at run time
    return importlib.import_module("tensorboard.plugins.hparams.api_pb2")
