"""(Train, Position, `--epochs`) → the overrides that make a run longer: of its only phase, or of the last one."""

from collections.abc import Mapping

from kbuild.spec.train import Train
from kbuild.text.problem import Problem, SpecError
from kbuild.train.checkpoint import Position


def longer(train: Train, start: Position | None, done: bool, epochs: int | str | None) -> Mapping[str, object]:
    """What to lay over the spec of a run.

    Args:
        start: its newest checkpoint.
        done: whether it came to its end.
        epochs: train until this epoch; `"+10"` for ten more; None as the spec says.

    Raises:
        SpecError: K105 for what is no number of epochs, or ends before the last phase begins.
    """
    if epochs is None:
        return {}
    text = str(epochs).strip()
    count, parts = amount(text), train.parts
    number, begins = (0, 0) if start is None else (start.phase, start.began)
    stopped = start is not None and bool(start.state["stopped"])
    in_last = number == len(parts) - 1
    for part in parts[number:-1]:
        begins = start.epoch if start is not None and stopped and part is parts[number] else begins + part.epochs
    if not text.startswith("+"):
        wanted = count - begins
    elif start is not None and in_last and (done or stopped):
        wanted = start.epoch - begins + count
    else:
        wanted = parts[-1].epochs + count
    if wanted < 1:
        help = f"write `--epochs {begins + 1}` or more, or `+10`"
        raise SpecError(Problem("K105", f"epoch {count} lies before the last phase", help=help))
    return {f"train.phases.{len(train.phases) - 1}.epochs" if train.phases else "train.epochs": wanted}


def amount(epochs: str) -> int:
    """`30`, `+10` → a number of epochs. Raises SpecError K105."""
    text = epochs.strip()
    if not text.removeprefix("+").isdigit() or int(text) < 1:
        raise SpecError(Problem("K105", f"`{epochs}` is no number of epochs", help="write `--epochs 30` or `+10`"))
    return int(text)
