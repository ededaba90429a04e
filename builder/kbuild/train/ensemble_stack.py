"""What the members say of examples that they did not train on → a linear layer that weighs them (stacking).

Wolpert, 1992, Stacked Generalization. Classes: logistic regression on the members' probabilities (Ting and Witten,
1999, Issues in Stacked Generalization). Numbers: least squares with weights that are not negative (Breiman, 1996,
Stacked Regressions), each component from the members' own values of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kbuild.text.problem import Problem, SpecError
from kbuild.train import weights
from kbuild.train.ensemble_model import answers, finished

ops: Any = keras.ops  # its annotations say that functions return None


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of examples, and what is true of them.

    Args:
        said: by output, (examples, groups · width): what each group gave, side by side.
        true: labels by output, as the data have them.
        weights: (examples,) or None.
        groups: how many there are.
    """

    said: Mapping[str, np.ndarray]
    true: Mapping[str, np.ndarray]
    weights: np.ndarray | None
    groups: int


@dataclass(frozen=True, slots=True)
class Linear:
    """The weights of a `Dense` layer: `kernel` (groups · width, width) and `bias` (width,)."""

    kernel: np.ndarray
    bias: np.ndarray
    activation: str


def fitted(outputs: Sequence[Mapping[str, Any]], told: Told) -> dict[str, Linear]:
    """A linear layer for each output.

    Raises:
        SpecError: K631 if an output has none, or a class has no example to learn from.
    """
    return {of["name"]: _fitted(of, told) for of in outputs}


def stacked(
    models: Sequence[keras.Model], outputs: Sequence[Sequence[Mapping[str, Any]]], groups: Sequence[int],
    layers: Mapping[str, Linear], name: str,
) -> keras.Model:  # fmt: skip
    """The members, the mean of each group of them, and the layers that weigh those.

    Args:
        groups: of each member the number of its group, from 0.
    """
    inputs, given = answers(models, outputs)
    made = {}
    for output, values in given.items():
        means = []
        for at in range(max(groups) + 1):
            own = [value for value, group in zip(values, groups, strict=True) if group == at]
            mean = keras.layers.Average(name=f"mean_{output}_{at + 1}", dtype="float32")
            means.append(own[0] if len(own) == 1 else mean(own))
        beside = keras.layers.Concatenate(name=f"members_{output}", dtype="float32")
        found = layers[output]
        dense = keras.layers.Dense(
            len(found.bias), activation=found.activation, name=f"stack_{output}", dtype="float32"
        )  # fmt: skip
        made[output] = dense(means[0] if len(means) == 1 else beside(means))
        dense.set_weights([found.kernel, found.bias])
    return finished(inputs, made, name)


def _fitted(of: Mapping[str, Any], told: Told) -> Linear:
    name, task = of["name"], of["task"]
    x, y = told.said[name].astype("float64"), told.true.get(name)
    if y is None or task not in ("binary", "multiclass", "multilabel", "regression"):
        help = "write `--how average`"
        raise SpecError(Problem("K631", f"the output `{name}` has no labels to fit a layer to", help=help))
    if task == "regression":
        return _least_squares(x, np.asarray(y, "float64").reshape(len(y), -1), told.weights)
    if task == "multilabel":
        columns = [_yes_or_no(_own(x, at, y.shape[1]), y[:, at], told.weights, name) for at in range(y.shape[1])]
        return _side_by_side(columns, "sigmoid")
    labels = weights.integers(y)
    width = x.shape[1] // told.groups
    if width == 1:
        kernel, bias = _yes_or_no(x, labels, told.weights, name)
        return Linear(kernel[:, None], np.array([bias]), "sigmoid")
    return _classes(x, labels, width, told.weights, name)


def _classes(x: np.ndarray, labels: np.ndarray, count: int, weight: np.ndarray | None, name: str) -> Linear:
    from sklearn.linear_model import LogisticRegression

    lacking = sorted(set(range(count)) - set(labels.tolist()))
    if lacking:
        raise _no_example(name, f"class {lacking[0]}")
    made = LogisticRegression(max_iter=10_000).fit(x, labels, weight)
    kernel, bias = made.coef_.T, made.intercept_
    if count == 2:  # scikit-learn gives the logit of the second alone
        kernel, bias = np.hstack([np.zeros_like(kernel), kernel]), np.array([0.0, *bias])
    return Linear(kernel, bias, "softmax")


def _yes_or_no(x: np.ndarray, labels: np.ndarray, weight: np.ndarray | None, name: str) -> tuple[np.ndarray, float]:
    from sklearn.linear_model import LogisticRegression

    labels = np.asarray(labels).astype("int64")
    if len(set(labels.tolist())) < 2:
        raise _no_example(name, "one of the answers yes and no")
    made = LogisticRegression(max_iter=10_000).fit(x, labels, weight)
    return made.coef_[0], float(made.intercept_[0])


def _least_squares(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> Linear:
    from sklearn.linear_model import LinearRegression

    columns = []
    for at in range(y.shape[1]):
        made = LinearRegression(positive=True).fit(_own(x, at, y.shape[1]), y[:, at], weight)
        columns.append((made.coef_, float(made.intercept_)))
    return _side_by_side(columns, "linear")


def _own(x: np.ndarray, at: int, width: int) -> np.ndarray:
    """What the groups say of one component."""
    return x[:, at::width]


def _side_by_side(columns: Sequence[tuple[np.ndarray, float]], activation: str) -> Linear:
    """Components that do not mix, as one layer."""
    width, groups = len(columns), len(columns[0][0])
    kernel = np.zeros((groups * width, width))
    for at, (coefficients, _) in enumerate(columns):
        kernel[at::width, at] = coefficients
    return Linear(kernel, np.array([bias for _, bias in columns]), activation)


def _no_example(name: str, what: str) -> SpecError:
    message = f"among the examples that the members did not train on, {what} of the output `{name}` has none"
    return SpecError(Problem("K631", message, help="keep more examples for `data.split.validation`, or average"))
