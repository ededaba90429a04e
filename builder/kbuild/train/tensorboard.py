"""What kbuild puts into TensorBoard: scalars, weights, the spec, the network and the hyperparameters of a run.

Training and validation are two sub-runs with the same tags, so that one chart shows both. The step is the epoch,
from 1.
"""

import importlib
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kbuild.train.events import Events
from kbuild.train.trial import current

PLUGIN = "hparams"


class Board:
    """The event files of one run, in `train/`, `validation/` and the folder itself.

    Args:
        folder: where; made if it is not there.
        histograms: write those of the weights every so many epochs; 0 never.
    """

    def __init__(self, folder: Path, histograms: int = 0):
        self._folder, self._histograms = folder, histograms
        self._files: dict[str, Events] = {}

    def begin(self, spec: str, model: keras.Model, values: Mapping[str, object]) -> None:
        """Write the spec as text, the network as text, and the hyperparameters of the run."""
        run = self._file("")
        run.text("spec", _fenced(spec, "yaml"))
        run.text("network", _fenced(summary(model)))
        self.session(values)

    def session(self, values: Mapping[str, object]) -> None:
        """Write the hyperparameters of the run, one row of TensorBoard's table; of a trial, what the search chose.

        Trainings of one trial are one row, with their mean.
        """
        trial = current()
        told = values if trial is None else trial.values
        info = _session(told, "" if trial is None else trial.name)
        self._hparams("_hparams_/session_start_info", session_start_info=info)
        self._file("").flush()

    def epoch(self, row: Mapping[str, float], model: keras.Model) -> None:
        """Write one row of the history, and the weights when it is their turn."""
        step = int(row["epoch"])
        for name, value in row.items():
            if name == "epoch":
                continue
            part = "validation" if name.startswith("val_") else "train"
            self._file(part).scalar(f"epoch_{name.removeprefix('val_')}", float(value), step)
        if self._histograms and step % self._histograms == 0:
            for variable in model.trainable_variables:
                self._file("train").histogram(
                    variable.path, np.asarray(keras.ops.convert_to_numpy(variable.value)), step
                )
        for events in self._files.values():
            events.flush()

    def health(self, numbers: Mapping[str, float], epoch: int) -> None:
        """Write what was measured of the network after an epoch, from 1: `gradient_norm/dense`, `gap`."""
        for name, value in numbers.items():
            self._file("train").scalar(f"health/{name}", value, epoch)
        # a checkpoint may follow, and what comes before one is not done again
        self._file("train").flush()

    def picture(self, tag: str, path: Path) -> None:
        """Show a PNG file of the run."""
        from PIL import Image

        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            self._file("").image(tag, data, (image.height, image.width))

    def best(self, numbers: Mapping[str, float], test: Mapping[str, float]) -> None:
        """Write the best epoch's numbers and those of the test part, which the table of hyperparameters shows.

        TensorBoard finds out itself which columns there are: an experiment that one run describes holds for all that
        are looked at with it.
        """
        for part, known in (("best", numbers), ("test", test)):
            for name, value in known.items():
                self._file("").scalar(f"{part}/{name}", float(value), 0)

    def end(self, success: bool) -> None:
        """The run is over, well or not; have everything on the disk."""
        self._hparams("_hparams_/session_end_info", session_end_info=_ending(success))
        self.close()

    def close(self) -> None:
        """Have everything on the disk. May be called twice."""
        for events in self._files.values():
            events.close()
        self._files = {}

    def _file(self, part: str) -> Events:
        if part not in self._files:
            self._files[part] = Events(self._folder / part)
        return self._files[part]

    def _hparams(self, tag: str, **data: object) -> None:
        content = _messages("plugin_data_pb2").HParamsPluginData(version=0, **data)
        self._file("").plugin(tag, PLUGIN, content.SerializeToString())


def summary(model: keras.Model) -> str:
    """`model.summary()` as text."""
    lines: list[str] = []
    model.summary(print_fn=lambda text, line_break=False: lines.append(text), line_length=110)
    return "\n".join(lines)


def _session(values: Mapping[str, object], group: str):
    info = _messages("plugin_data_pb2").SessionStartInfo(start_time_secs=time.time(), group_name=group)
    for name, value in values.items():
        if isinstance(value, bool):
            info.hparams[name].bool_value = value
        elif isinstance(value, int | float):
            info.hparams[name].number_value = value
        else:
            info.hparams[name].string_value = str(value)
    return info


def _ending(success: bool):
    status = _messages("api_pb2").Status.Value("STATUS_SUCCESS" if success else "STATUS_FAILURE")
    return _messages("plugin_data_pb2").SessionEndInfo(status=status, end_time_secs=time.time())


def _messages(module: str) -> Any:
    # imported where it is used: it costs time, and its messages are made at run time
    return importlib.import_module(f"tensorboard.plugins.hparams.{module}")


def _fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{text}\n```"
