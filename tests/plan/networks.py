"""Plans to draw: of texts, of shipped specs, and at random."""

import json
from collections.abc import Iterator
from itertools import count

from hypothesis import strategies as st

from kbuild.plan.check import check
from kbuild.plan.expand import expand
from kbuild.plan.plan import Plan
from kbuild.spec.load import load

RESIDUAL = """kbuild: 1
name: residual
blocks:
  cell:
    params: {units: $required}
    layers:
      - branches:
          - [{Dense: $units}, ReLU, {Dense: $units}]
          - []
        merge: Add
      - ReLU
model:
  inputs: {x: {shape: [8]}}
  layers:
    - {Dense: 4, name: first}
    - {cell: 4, name: stage, repeat: 3}
    - {Dense: {units: 2, activation: softmax}, name: last}
"""


def plan_of(text: str) -> Plan:
    """The plan of a spec's text."""
    return expand(load(text))


def shipped(name: str) -> Plan:
    """The plan of a shipped spec."""
    return check(load(f"kbuild:{name}")).plan


@st.composite
def networks(draw: st.DrawFn) -> Plan:
    """Chains, repeats, branches and blocks in each other, with connections over several entries; all of four numbers."""
    numbers = count()
    layers = [*_chain(draw, 0, numbers), {"cell": None}, {**ADD, "from": ["previous", "y"]}]
    spec = {
        "kbuild": 1,
        "name": "any",
        "blocks": {"cell": {"layers": _chain(draw, 2, numbers)}},
        "model": {"inputs": {"x": {"shape": [4]}, "y": {"shape": [4]}}, "layers": layers},
    }
    return plan_of(json.dumps(spec))


ADD: dict[str, object] = {"Add": None}


def _chain(draw: st.DrawFn, depth: int, numbers: Iterator[int]) -> list[object]:
    entries: list[object] = []
    names: list[str] = []
    kinds = ["layer", "skip", *(["repeat", "branches", "group"] if depth < 3 else []), *(["cell"] if depth < 2 else [])]
    for _ in range(draw(st.integers(1, 4 if depth else 6))):
        kind = draw(st.sampled_from(kinds))
        entry: dict[str, object] = {"Dense": 4}
        if kind == "skip" and names:
            entry = {**ADD, "from": ["previous", draw(st.sampled_from(names))]}
        elif kind == "repeat":
            entry = {"chain": _chain(draw, depth + 1, numbers), "repeat": draw(st.integers(1, 3))}
        elif kind == "branches":
            chains = [
                [] if draw(st.booleans()) else _chain(draw, depth + 1, numbers) for _ in range(draw(st.integers(2, 3)))
            ]
            entry = {"branches": chains, "merge": "Add"}
        elif kind == "group":
            entry = {"chain": _chain(draw, depth + 1, numbers)}
        elif kind == "cell":
            entry = {"cell": None}
        names.append(f"{kind}_{next(numbers)}")
        entries.append({**entry, "name": names[-1]})
    return entries
