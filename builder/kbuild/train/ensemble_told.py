"""Members and their data → a stacked model: what each says of examples that it did not train on, a layer on that."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kbuild.data.dataset import Dataset, Part
from kbuild.data.lazy import whole
from kbuild.data.load import load
from kbuild.plan.expand import expand
from kbuild.plan.head import heads
from kbuild.text.problem import Problem, SpecError
from kbuild.train import ensemble_stack, job
from kbuild.train.ensemble_members import Joining
from kbuild.train.ensemble_model import answers, finished
from kbuild.train.ensemble_parts import Seen, group
from kbuild.train.feed import feed

if TYPE_CHECKING:
    import keras


def stack(
    members: Sequence[Joining], models: "Sequence[keras.Model]", dataset: Dataset, found: Seen, name: str
) -> "keras.Model":
    """Fit a linear layer on what the members say of examples of their validation parts.

    Runs are groups of one; the folds of one training are a group, whose members together have an answer for every
    example that was not kept for the test, each from the one that did not train on it. The examples of the fit are
    those that every group has such an answer for, less the test part.

    Raises:
        SpecError: K631 if there are too few such examples, or no layer can be fitted to them.
    """
    groups = _groups(members)
    parts = [_validation(one, dataset, found) for one in members]
    rows = [_rows(at, part, found) for at, part in enumerate(parts)]
    common = _common(rows, groups)
    if found.parts is not None:
        common = np.setdiff1d(common, found.parts[0].get("test", common[:0]))
    if len(common) <= max(groups) + 1:
        message = f"there are {len(common)} examples that a member of each kind did not train on, too few for a layer"
        help = "train with a larger `data.split.validation`, the same for all, or write `--how average`"
        raise SpecError(Problem("K631", message, help=help))
    outputs = members[0].outputs
    said: dict[str, list[Any]] = {of["name"]: [None] * (max(groups) + 1) for of in outputs}
    true: dict[str, np.ndarray] = {}
    weight: np.ndarray | None = None
    for one, model, part, own, at in zip(members, models, parts, rows, groups, strict=True):
        here = np.isin(own, common)
        place, answer = np.searchsorted(common, own[here]), _answers(one, model, part)
        for of, value in ((of, answer[of["name"]]) for of in outputs):
            table = said[of["name"]][at]
            if table is None:
                table = said[of["name"]][at] = np.empty((len(common), *value.shape[1:]), "float64")
            table[place] = value[here]
            label = part.y.get(of["name"])
            if label is not None:
                told = whole(label)
                true.setdefault(of["name"], np.zeros((len(common), *told.shape[1:]), told.dtype))[place] = told[here]
        if part.weights is not None:
            weight = np.ones(len(common)) if weight is None else weight
            weight[place] = part.weights[here]
    beside = {key: _beside(key, tables) for key, tables in said.items()}
    layers = ensemble_stack.fitted(outputs, ensemble_stack.Told(beside, true, weight, max(groups) + 1))
    return ensemble_stack.stacked(models, [one.outputs for one in members], groups, layers, name)


def _groups(members: Sequence[Joining]) -> list[int]:
    known: dict[str, int] = {}
    found = []
    for number, one in enumerate(members):
        key = group(one.spec) or str(number)
        found.append(known.setdefault(key, len(known)))
    return found


def _validation(one: Joining, first: Dataset, found: Seen) -> Part:
    """The validation part of a member. Raises SpecError K631 if it has none."""
    part = first.validation
    if found.parts is not None:
        assert one.spec.data is not None
        shapes = {entry.name: entry.shape for entry in one.spec.inputs}
        dataset = load(one.spec.data, one.spec.train.seed, features=shapes, trust=one.spec.trust)
        plan = expand(one.spec, dataset.header)
        part = job.aligned(dataset, plan, heads(one.spec, plan, dataset.header)).validation
    if part is None or not len(part):
        message = f"`{one.path}` kept no examples for validation, and a layer is fitted to such"
        raise SpecError(Problem("K631", message, help="train with `data.split.validation`, or write `--how average`"))
    return part


def _rows(at: int, part: Part, found: Seen) -> np.ndarray:
    return np.arange(len(part)) if found.parts is None else found.parts[at]["validation"]


def _common(rows: Sequence[np.ndarray], groups: Sequence[int]) -> np.ndarray:
    """The examples that each group has an answer for, in ascending order."""
    of_groups: list[list[np.ndarray]] = [[] for _ in range(max(groups) + 1)]
    for own, at in zip(rows, groups, strict=True):
        of_groups[at].append(own)
    common = np.unique(np.concatenate(of_groups[0]))
    for own in of_groups[1:]:
        common = np.intersect1d(common, np.concatenate(own))
    return common


def _answers(one: Joining, model: "keras.Model", part: Part) -> dict[str, np.ndarray]:
    """What a member gives for a part, by output: probabilities for classes."""
    inputs, given = answers([model], [one.outputs])
    asked = finished(inputs, {name: values[0] for name, values in given.items()}, "member")
    assert one.spec.data is not None
    raw: Any = asked.predict(feed(part, one.spec.data.batch_size, ()).data, verbose=0)  # pyright: ignore
    values = raw if isinstance(raw, Mapping) else {one.outputs[0]["name"]: raw}
    return {name: np.asarray(value) for name, value in values.items()}


def _beside(name: str, tables: Sequence[np.ndarray]) -> np.ndarray:
    if tables[0].ndim != 2:
        message = f"the output `{name}` gives {tables[0].ndim - 1} axes for an example, and a layer is fitted to one"
        raise SpecError(Problem("K631", message, help="write `--how average`"))
    return np.concatenate(tables, axis=1)
