"""Numbers, text and pictures → TensorBoard event files, without TensorFlow on any backend."""

import importlib
import io
import itertools
import os
import platform
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.summary.writer.record_writer import RecordWriter

from kbuild.train import atomic

# the messages of these modules are made when they are imported, so that nobody can know their types
_PROTO = "tensorboard.compat.proto"
event_pb2: Any = importlib.import_module(f"{_PROTO}.event_pb2")
summary_pb2: Any = importlib.import_module(f"{_PROTO}.summary_pb2")
tensor_pb2: Any = importlib.import_module(f"{_PROTO}.tensor_pb2")
tensor_shape_pb2: Any = importlib.import_module(f"{_PROTO}.tensor_shape_pb2")
types_pb2: Any = importlib.import_module(f"{_PROTO}.types_pb2")


_numbers = itertools.count()


class Events:
    """One event file. Nothing is lost that was written before `flush`.

    TensorBoard's own writer writes in a thread, where a disk that is full is nobody's error.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads the files of a folder in the order of their names
        name = f"events.out.tfevents.{time.time():017.6f}.{platform.node()}.{os.getpid()}.{next(_numbers)}"
        self._file = (folder / name).open("ab", buffering=0)
        self._waiting = io.BytesIO()
        self._records = RecordWriter(self._waiting)
        self._records.write(event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A point of a chart."""
        self._add(summary_pb2.Summary.Value(tag=clean(tag), simple_value=value), step)

    def text(self, tag: str, text: str, step: int = 0) -> None:
        """Markdown."""
        tensor = tensor_pb2.TensorProto(
            dtype=types_pb2.DT_STRING, string_val=[text.encode("utf-8")], tensor_shape=_shape(1)
        )
        self._tensor(tag, tensor, "text", step)

    def image(self, tag: str, png: bytes, size: tuple[int, int], step: int = 0) -> None:
        """A PNG picture of `size` (height, width) pixels."""
        image = summary_pb2.Summary.Image(height=size[0], width=size[1], colorspace=4, encoded_image_string=png)
        self._add(summary_pb2.Summary.Value(tag=clean(tag), image=image), step)

    def histogram(self, tag: str, values: np.ndarray, step: int, bins: int = 30) -> None:
        """How values of any shape are spread; those that are not finite are left out."""
        flat = np.asarray(values, "float64").ravel()
        flat = flat[np.isfinite(flat)]
        if not flat.size:
            return
        counts, edges = np.histogram(flat, bins=bins)
        rows = np.stack([edges[:-1], edges[1:], counts], axis=1)
        tensor = tensor_pb2.TensorProto(
            dtype=types_pb2.DT_DOUBLE, double_val=rows.ravel().tolist(), tensor_shape=_shape(bins, 3)
        )
        self._tensor(tag, tensor, "histograms", step)

    def plugin(self, tag: str, name: str, content: bytes) -> None:
        """A summary that only its plugin reads (`hparams`)."""
        metadata = summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=name, content=content)
        )
        # the plugin reads the metadata only, but TensorBoard drops a value without a tensor
        tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_shape=_shape(0))
        self._add(summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor), 0)

    def flush(self) -> None:
        """Hand everything to the system.

        After an error nothing more is written: it would stand behind half a record.
        """
        content = memoryview(self._waiting.getvalue())
        self._waiting.seek(0)
        self._waiting.truncate()
        try:
            while content and not self._file.closed:
                content = content[self._file.write(content) :]
        except OSError:
            self._file.close()
            raise

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()

    def _tensor(self, tag: str, tensor: Any, plugin: str, step: int) -> None:
        metadata = summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin, content=b"")
        )
        self._add(summary_pb2.Summary.Value(tag=clean(tag), tensor=tensor, metadata=metadata), step)

    def _add(self, value: Any, step: int) -> None:
        summary = summary_pb2.Summary(value=[value])
        self._records.write(event_pb2.Event(summary=summary, step=step, wall_time=time.time()).SerializeToString())


def clean(tag: str) -> str:
    """A tag that TensorBoard and every file system take: letters, digits, `-_./` and spaces."""
    return re.sub(r"[^\w\-./ ]", "_", tag, flags=re.ASCII).strip("/ ") or "_"


def _shape(*sizes: int) -> Any:
    return tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in sizes])


def cut(folder: Path, step: int) -> None:
    """Leave out what event files say of steps after `step`, and of the table of hyperparameters of a run that goes on.

    Each file is replaced whole; a torn record at its end is left out too. A file of which nothing stays is removed.

    Args:
        step: the last that stays; below 0 nothing does.
    """
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

    for path in sorted(folder.rglob("events.out.tfevents.*")):
        records = [record for record in RawEventFileLoader(str(path)).Load() if _stays(record, step)]
        if not records:
            path.unlink()
            continue
        with atomic.writing(path) as temporary, temporary.open("wb") as file:
            writer = RecordWriter(file)
            for record in records:
                writer.write(record)
            writer.flush()


def _stays(record: bytes, step: int) -> bool:
    event = event_pb2.Event.FromString(record)
    tags = {value.tag for value in event.summary.value}
    return event.step <= step and not any(tag.startswith(_ENDINGS) for tag in tags)


_ENDINGS = ("_hparams_/", "best/", "test/", "confusion", "curves", "worst")
