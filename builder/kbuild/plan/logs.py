"""(Spec, heads) → Logs: what the numbers of an epoch will be called, and every `monitor` that names one of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kbuild.plan.head import Head
from kbuild.spec.call import Call
from kbuild.spec.data import Images, Npz, Python
from kbuild.spec.hole import is_hole
from kbuild.spec.names import nearest, snake_case
from kbuild.spec.signature import signature
from kbuild.spec.spec import Spec
from kbuild.spec.train import Plateau, Train
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node, Scalar
from kbuild.text.node import Sequence as SequenceNode
from kbuild.text.problem import Problem
from kbuild.text.source import Span


@dataclass(frozen=True, slots=True)
class Logs:
    """The names that Keras gives to the numbers of an epoch.

    Args:
        training: `loss`, then those of the metrics, then those of the losses of several outputs.
        validation: whether there is validation data; None where that is not known.
        complete: whether there can be no others.
    """

    training: tuple[str, ...]
    validation: bool | None
    complete: bool

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, those of validation too unless it is known that there is none."""
        measured = () if self.validation is False else tuple(f"val_{name}" for name in self.training)
        return self.training + measured

    def lacks(self, name: str) -> bool:
        """Whether it is certain that nothing will be called `name`."""
        if name.startswith("val_") and self.validation is False:
            return True
        return self.complete and name not in self.names


def logs(spec: Spec, heads: Sequence[Head]) -> Logs:
    """What `keras.Model.fit` will report, as Keras names it (`keras.src.trainers.compile_utils`).

    With several outputs a metric is `{output}_{metric}`; those of the same name are counted, `_1` being the second. The
    losses of the outputs are reported where there are several, as `{output}_loss`.
    """
    several = len(heads) > 1
    found, counts = ["loss"], dict[str, int]()
    for head in heads:
        for name in metric_names(head.metrics):
            whole = f"{head.output}_{name}" if several else name
            count = counts.get(whole, 0)
            counts[whole] = count + 1
            found.append(f"{whole}_{count}" if count else whole)
    compared = [head.output for head in heads if head.loss is not None]
    if len(compared) > 1:
        found += [f"{output}_loss" for output in compared]
    return Logs(tuple(dict.fromkeys(found)), _validation(spec), not spec.own and all(_told(spec, h) for h in heads))


def metric_names(metrics: Iterable[Call], default: Callable[[Call], str] | None = None) -> tuple[str, ...]:
    """The names of the metrics of one output: a string by itself, an object by its `name`, else by its class.

    Objects are numbered from the second of a name on, `_2`: Keras would count all that the process has made.

    Args:
        default: the name of an object that is given none; None reads it from the signature.
    """
    found: list[str] = []
    for call in metrics:
        name = call.name
        if call.namespace != "identifier":
            base = name = str(call.args.get("name") or (default or _default)(call))
            number = 2
            while name in found:
                name, number = f"{base}_{number}", number + 1
        found.append(name)
    return tuple(found)


def monitors(train: Train) -> Iterator[tuple[str, str, Call | None]]:
    """Every name that is monitored, the path where it is said, and the callback if it is one."""
    if train.early_stopping is not None:
        yield train.early_stopping.monitor, "train.early_stopping.monitor", None
    if isinstance(train.schedule, Plateau):
        yield train.schedule.monitor, "train.schedule.plateau.monitor", None
    for call in train.callbacks:
        found = signature("callbacks", call.name)
        default = next((p.default for p in found.parameters if p.name == "monitor"), None) if found else None
        monitor = call.args.get("monitor", default)
        if isinstance(monitor, str):
            yield monitor, f"train.callbacks.{call.name}.monitor", call


def objective(spec: Spec) -> tuple[str, str] | None:
    """What `tune.objective` names, and where; None where there is none, or a hole decides what is measured."""
    top = spec.node
    tune = top.get("tune") if isinstance(top, MappingNode) else None
    train = top.get("train") if isinstance(top, MappingNode) else None
    metrics = train.get("metrics") if isinstance(train, MappingNode) else None
    found = tune.get("objective") if isinstance(tune, MappingNode) else None
    if metrics is not None and _has_hole(metrics):
        return None
    path = "tune.objective"
    if isinstance(found, MappingNode):
        found, path = found.get("name"), "tune.objective.name"
    return (found.value, path) if isinstance(found, Scalar) and isinstance(found.value, str) else None


def unknown(code: str, monitor: str, path: str, span: Span | None, found: Logs) -> Problem:
    """The problem of a name that nothing will have, with those that there will be."""
    bare = monitor.removeprefix("val_")
    near = nearest(monitor, found.names)
    listed = ", ".join(f"`{name}`" for name in found.names)
    if found.validation is False and bare != monitor and (bare in found.names or not found.complete):
        help = f"there is no validation data: set `data.split.validation`, or monitor `{bare}`"
    elif near:
        help = f"did you mean `{near}`? An epoch yields {listed}"
    else:
        help = f"an epoch yields {listed}"
    return Problem(code, f"nothing is called `{monitor}` to monitor", span, help=help, path=path)


def _default(call: Call) -> str:
    found = signature("metrics", call.name)
    default: Any = next((p.default for p in found.parameters if p.name == "name"), None) if found else None
    return default if isinstance(default, str) else snake_case(call.name)


def _told(spec: Spec, head: Head) -> bool:
    """Whether the loss and the metrics of an output are known: written, or decided from what the data hold."""
    if head.task is not None:
        return True
    loss, metrics = spec.train.loss, spec.train.metrics
    wanted = loss.get(head.output) if isinstance(loss, dict) else loss
    return wanted is None or (wanted != "auto" and metrics is not None)


def _validation(spec: Spec) -> bool | None:
    if spec.data is None:
        return None
    source = spec.data.source
    if isinstance(source, Npz | Images) and source.validation is not None:
        return True
    if spec.data.split.validation > 0:
        return True
    return None if isinstance(source, Python) else False


def _has_hole(node: Node) -> bool:
    if is_hole(node):
        return True
    if isinstance(node, MappingNode):
        return any(_has_hole(value) for _, value in node.pairs)
    return isinstance(node, SequenceNode) and any(_has_hole(item) for item in node.items)
