"""Plans to draw."""

from collections.abc import Callable

import pytest
from networks import RESIDUAL, plan_of

from kbuild.plan.plan import Plan


@pytest.fixture
def residual() -> Plan:
    """A block with a skip connection, three times."""
    return plan_of(RESIDUAL)


@pytest.fixture
def plan() -> Callable[[str], Plan]:
    """The plan of a spec's text."""
    return plan_of
