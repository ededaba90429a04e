"""What several tests of training share."""

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("nursery", Path(__file__).with_name("nursery.py"))
assert _spec is not None and _spec.loader is not None
nursery_module = importlib.util.module_from_spec(_spec)
sys.modules["nursery"] = nursery_module
_spec.loader.exec_module(nursery_module)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """A process that forks real `kbuild` commands; see nursery.py."""
    with nursery_module.Nursery(tmp_path_factory.mktemp("nursery")) as made:
        yield made


@pytest.fixture
def disk(nursery):
    """The same where a disk can be made to fail, which takes Linux and a C compiler."""
    if not nursery.disk:
        pytest.skip("no C compiler, or not Linux: nothing can be put between a process and its disk")
    return nursery
