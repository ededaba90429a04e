"""An exported file and examples → what it gives for them: run in a process of its own, as whoever uses it would."""

import os
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Ask = Callable[[Mapping[str, np.ndarray]], Mapping[str, Any]]


def main(arguments: Sequence[str]) -> None:
    """Read `SIZE.npz` of a folder, ask the file, write `SIZE-out.npz` beside them.

    Args:
        arguments: the format, the file, the folder, the backend, `own` if the model has layers of kbuild's own, and
            files of the user's own code.
    """
    to, file, place, backend, own, *used = arguments
    os.environ["KERAS_BACKEND"] = backend
    ask = {"keras": _keras, "savedmodel": _savedmodel, "onnx": _onnx, "litert": _litert, "python": _python}[to](
        file, bool(own), used
    )
    for path in sorted(Path(place).glob("*.npz")):
        with np.load(path, allow_pickle=False) as given:
            found = ask(dict(given))
        np.savez(
            path.with_name(f"{path.stem}-out.npz"), allow_pickle=False, **{k: np.asarray(v) for k, v in found.items()}
        )


def _keras(file: str, own: bool, used: Sequence[str]) -> Ask:
    import keras

    if own:
        import kbuild.model.layers  # noqa: F401
    if used:
        from kbuild.model.use import trusted

        trusted(used)
    return _asked(keras.models.load_model(file, compile=False, safe_mode=True))


def _python(file: str, own: bool, used: Sequence[str]) -> Ask:
    # beside the script, or where Python finds it
    sys.path[:0] = [str(Path(path).parent) for path in used]
    return _asked(runpy.run_path(file)["trained"]())


def _asked(model: Any) -> Ask:
    def ask(x: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
        raw = model.predict_on_batch(dict(x) if len(x) > 1 else next(iter(x.values())))
        return raw if isinstance(raw, Mapping) else {"": raw}

    return ask


def _savedmodel(file: str, own: bool, used: Sequence[str]) -> Ask:
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(file)
    serve = loaded.signatures["serving_default"]

    def ask(x: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
        found = serve(**{name: tf.constant(value) for name, value in x.items()})
        return {name: value.numpy() for name, value in found.items()}

    # a signature lives as long as what it was loaded with
    ask.__dict__["loaded"] = loaded
    return ask


def _litert(file: str, own: bool, used: Sequence[str]) -> Ask:
    import tensorflow as tf

    lite: Any = tf.lite
    runner = lite.Interpreter(file).get_signature_runner("serving_default")
    return lambda x: runner(**x)


def _onnx(file: str, own: bool, used: Sequence[str]) -> Ask:
    from onnx.reference import ReferenceEvaluator  # pyright: ignore[reportMissingImports]

    session: Any = ReferenceEvaluator(file)
    return lambda x: dict(zip(session.output_names, session.run(None, dict(x)), strict=True))
