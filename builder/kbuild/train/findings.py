"""Numbers of a training → Findings: what is wrong with it, each in a sentence with the usual remedy. Knows no Keras."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Numbers = Mapping[str, float]

VANISHING = 1e-5
"""A layer's gradient norm over the largest of a layer behind it. Through n sigmoid layers with initial weights it falls
by up to 4 ** n (Hochreiter 1991; Glorot and Bengio, AISTATS 2010, section 4.2)."""
EXPLODING = 1e3
"""Norm of the whole gradient, for targets near 1. Networks that learn stay below 100 (Pascanu, Mikolov, Bengio,
arXiv:1211.5063, section 3.2, clip at a half to ten times the norm they see on average)."""
DEAD = 0.75
"""Share of the units of a layer that are 0 for every example (Lu et al., arXiv:1903.06733, for how they die). Half of a
narrow layer often is, and the network learns all the same."""
SATURATED = 0.9
"""Share of the outputs of a layer at a bound of its activation (Glorot and Bengio, AISTATS 2010, section 3)."""
LEARNED = 1e-3
"""A loss below which there is nothing left to learn, so that a gradient of 0 is no fault."""
GAP = 0.1
"""Accuracy on the training part less that on the validation part, in the best epoch."""
RATIO = 2.0
"""`val_loss` over `loss` in the best epoch, where there is no accuracy."""
RISE = 1.5
"""`val_loss` at the end over its minimum (1 + GL / 100 of Prechelt, Early Stopping – But When?, 1998)."""
FEWEST = 30
"""Validation examples below which a ratio of losses says nothing; probed examples below which no unit is dead."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A look at a network after an epoch: one pass, forward and backward, over a few training examples.

    Args:
        epoch, step: when; epochs from 1, steps of the whole run.
        examples: how many.
        loss: of them, as in training.
        gradient_norm: L2 norm by layer, from the input to the output.
        dead: by layer, the share of ReLU units that are 0 for every example.
        saturated: by layer, the share of outputs of tanh and sigmoid units that are within 0.01 of a bound.
    """

    epoch: int
    step: int
    examples: int
    loss: float
    gradient_norm: Numbers = field(default_factory=dict)
    dead: Numbers = field(default_factory=dict)
    saturated: Numbers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Args:
        kind: `dead`, `exploding`, `vanishing`, `saturated`, `overfitting` or `not_finite`.
        name: of the layer or number.
        value: that which is above or below its bound.
        sentence: for people, without a final period.
    """

    kind: str
    name: str
    value: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a run beside its numbers.

    Args:
        optimizer: its name; `rate` its learning rate, `usual` Keras's own, if there is one.
        clipped: whether the optimizer bounds gradients.
        scale: mean square of the numbers that are to be predicted, at least 1; a gradient of squares grows with it.
        validation: validation examples.
        stops: whether early stopping, or the end of the run, keeps the best epoch only because it looked for it.
        best: the best epoch, from 1.
    """

    optimizer: str = ""
    rate: float = 0.0
    usual: float | None = None
    clipped: bool = False
    scale: float = 1.0
    validation: int = 0
    stops: bool = False
    best: int | None = None


def findings(probe: Probe | None, rows: Sequence[Numbers], known: Known) -> list[Finding]:
    """All that is wrong, the likeliest cause first.

    Args:
        probe: the last one; None if there was none.
        rows: of the history.
    """
    found = list(_not_finite(rows))
    if probe is not None:
        found += [*_dead(probe, known), *_exploding(probe, known), *_saturated(probe), *_vanishing(probe, known)]
    return [*found, *_overfitting(rows, known)]


def slower(known: Known) -> str:
    """`lower the learning rate`, with what it is where that is far from Keras's own."""
    if known.usual and known.rate >= 10 * known.usual:
        times = _amount(known.rate / known.usual)
        return f"lower the learning rate ({known.rate:g} is {times} times Keras's own for `{known.optimizer}`)"
    return "lower the learning rate"


def _dead(probe: Probe, known: Known) -> Iterator[Finding]:
    name, share = _most(probe.dead)
    if share >= DEAD and probe.examples >= FEWEST:
        said = f"{_percent(share)} of the units of `{name}` are dead (0 for each of {probe.examples} training examples)"
        yield Finding("dead", name, share, f"{said}; {slower(known)}, or use LeakyReLU or HeNormal initialization")


def _exploding(probe: Probe, known: Known) -> Iterator[Finding]:
    norm = math.sqrt(sum(value * value for value in probe.gradient_norm.values()))
    if norm / known.scale > EXPLODING and not known.clipped:
        name, _ = _most(probe.gradient_norm)
        said = f"the gradient explodes: its norm is {_amount(norm)}, most of it in `{name}`"
        help = f"set `global_clipnorm: 1.0` in the optimizer, {slower(known)}, or take smaller initial weights"
        yield Finding("exploding", name, norm, f"{said}; {help}")


def _vanishing(probe: Probe, known: Known) -> Iterator[Finding]:
    names, norms = list(probe.gradient_norm), list(probe.gradient_norm.values())
    help = "use ReLU, BatchNormalization between the layers, or residual connections"
    largest = max(range(len(norms)), key=norms.__getitem__, default=0)
    if norms and norms[largest] == 0 and probe.loss > LEARNED:
        said = f"the gradient is 0 in every layer while `loss` is {probe.loss:.3g}: the network learns nothing any more"
        yield Finding("vanishing", names[0], 0.0, f"{said}; {slower(known)}, or {help}")
    small = [(norms[at] / norms[largest], names[at]) for at in range(largest) if norms[largest] > 0]
    ratio, name = min(small, default=(1.0, ""))
    if ratio < VANISHING and 1.0 not in probe.dead.values():
        weaker = f"{_amount(1 / ratio)} times smaller in" if ratio > 0 else "0 in"
        than = f"than in `{names[largest]}`" if ratio > 0 else f"and {norms[largest]:.2g} in `{names[largest]}`"
        yield Finding("vanishing", name, ratio, f"the gradient vanishes: it is {weaker} `{name}` {than}; {help}")


def _saturated(probe: Probe) -> Iterator[Finding]:
    name, share = _most(probe.saturated)
    if share >= SATURATED:
        said = f"{_percent(share)} of the outputs of `{name}` are saturated, where its activation is flat"
        help = "scale the inputs, take smaller initial weights, or put BatchNormalization before the activation"
        yield Finding("saturated", name, share, f"{said}; {help}")


def _overfitting(rows: Sequence[Numbers], known: Known) -> Iterator[Finding]:
    best = next((row for row in rows if row.get("epoch") == known.best), rows[-1] if rows else {})
    help = "more data, `data.augment`, Dropout, weight decay or a smaller network help"
    name = next((name for name in best if name.endswith("accuracy") and f"val_{name}" in best), None)
    if name is not None:
        one, other = best[name], best[f"val_{name}"]
        # twice the standard error of a share: what luck does with few examples
        luck = 2 * math.sqrt(max(other * (1 - other), 0.0) / max(known.validation, 1))
        if one - other > max(GAP, luck):
            said = f"the network overfits: `{name}` is {one:.3f} on the training part and {other:.3f} on validation"
            yield Finding("overfitting", name, one - other, f"{said}; {help}")
        return
    one, other = best.get("loss", math.nan), best.get("val_loss", math.nan)
    if one > 0 and other > RATIO * one and known.validation >= FEWEST:
        said = f"the network overfits: `val_loss` is {other / one:.3g} times `loss` in epoch {best['epoch']:g}"
        yield Finding("overfitting", "val_loss", other / one, f"{said}; {help}")
        return
    yield from _rising(rows, known, help)


def _rising(rows: Sequence[Numbers], known: Known, help: str) -> Iterator[Finding]:
    values = [(row["val_loss"], row["epoch"]) for row in rows if math.isfinite(row.get("val_loss", math.nan))]
    if known.stops or known.validation < FEWEST or not values:
        return
    low, epoch = min(values)
    last = values[-1][0]
    if low > 0 and last > RISE * low and rows[-1]["loss"] < rows[0]["loss"]:
        said = f"the network overfits: `val_loss` was lowest in epoch {epoch:g}, and is {last / low:.3g} times that"
        yield Finding("overfitting", "val_loss", last / low, f"{said} at the end; set `early_stopping`; {help}")


def _not_finite(rows: Sequence[Numbers]) -> Iterator[Finding]:
    for name in dict.fromkeys(name for row in rows for name, value in row.items() if not math.isfinite(value)):
        bad = [row for row in rows if not math.isfinite(row.get(name, 0.0))]
        said = f"`{name}` was no finite number in {len(bad)} of {len(rows)} epochs, first in epoch {bad[0]['epoch']:g}"
        part = "validation examples" if name.startswith("val_") else "examples"
        help = f"such an epoch is never the best; look for a division or logarithm of 0, and at the {part}"
        yield Finding("not_finite", name, float(len(bad)), f"{said}; {help}")


def _most(numbers: Numbers) -> tuple[str, float]:
    return max(((name, value) for name, value in numbers.items()), key=lambda item: item[1], default=("", 0.0))


def _amount(value: float) -> str:
    """`5,470`, `2e+12`."""
    return f"{value:,.0f}" if 100 <= value < 1e7 else f"{value:.2g}"


def _percent(share: float) -> str:
    """`83 %`, and 100 only for all."""
    return f"{100 if share == 1 else min(round(100 * share), 99)} %"
