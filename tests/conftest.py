"""Options of the whole suite, and its two tiers: tests marked `full` run when KBUILD_FULL=1 asks for them."""

import os

import pytest

FULL = os.environ.get("KBUILD_FULL") == "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden documents; review them as a diff")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out unless they are asked for; `tools/test --full` does."""
    long = [] if FULL else [item for item in items if item.get_closest_marker("full")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def examples() -> int:
    """How many random examples a property test takes: 20 in the commit tier, 200 in the full one."""
    return 200 if FULL else 20
