"""What several tests of a search share."""

import importlib.util
import sys
from pathlib import Path

import pytest

NURSERY = Path(__file__).parents[1] / "train" / "nursery.py"
if "nursery" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("nursery", NURSERY)
    assert _spec is not None and _spec.loader is not None
    sys.modules["nursery"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["nursery"])


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """A process that has what a search needs, and forks real ones; see nursery.py."""
    modules = ("keras_tuner", "sklearn.gaussian_process", "kbuild.search.tune", "kbuild.search.oracle")
    with sys.modules["nursery"].Nursery(tmp_path_factory.mktemp("nursery"), modules) as made:
        yield made
