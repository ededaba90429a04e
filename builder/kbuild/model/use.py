"""The user's own Python files (`use:`) → the classes they bring. Runs their code: only under `--trust`."""

import importlib.util
import inspect
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from kbuild.text.problem import Problem, SpecError

_classes: dict[str, type] = {}


def trusted(paths: Iterable[str | Path]) -> None:
    """Run files and let their public classes be called by name, in specs and in saved models.

    Args:
        paths: Python files, absolute or relative to the working directory. A file is run once in a process.

    Raises:
        SpecError: K108 if a file cannot be run, K109 if one of its classes has the name of a Keras class.
    """
    for path in paths:
        for name, found in _public(Path(path).resolve()).items():
            _admit(name, found, path)


def used() -> Mapping[str, type]:
    """The classes that `trusted` has brought so far, by name."""
    return _classes


def _public(path: Path) -> dict[str, type]:
    name = f"kbuild_use_{path.stem}"
    module = sys.modules.get(name)
    if module is None or getattr(module, "__file__", None) != str(path):
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise SpecError(Problem("K108", f"`{path.name}` is no Python file", help="name a file that ends in .py"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[name]
            message = f"`{path.name}` cannot be run: {type(error).__name__}: {error}"
            raise SpecError(Problem("K108", message, help="correct the file that `use` names")) from error
    return {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == name and not key.startswith("_")
    }


def _admit(name: str, found: type, path: str | Path) -> None:
    import keras

    spaces = (keras.layers, keras.optimizers, keras.losses, keras.metrics, keras.callbacks, keras.initializers)
    if any(hasattr(space, name) for space in (*spaces, keras.regularizers, keras.constraints, keras.applications)):
        message = f"class `{name}` of `{Path(path).name}` has the name of a Keras class"
        raise SpecError(Problem("K109", message, help="give it another name"))
    _classes[name] = found
    # load_model looks here for what a saved model names.
    keras.saving.get_custom_objects()[name] = found
