"""class weights for a class that is not there

What it does
    Compares the names in `class_weight` with the classes of the data; and looks for an output that tells classes at
    all.

Why is this bad?
    A weight for a name that no example has weighs nothing, and the class that was meant weighs 1.

Example
    data: {source: breast_cancer}                # the classes are `malignant` and `benign`
    train: {class_weight: {maligant: 2.0}}

Use instead
    data: {source: breast_cancer}
    train: {class_weight: {malignant: 2.0}}

Source
    The reference of the spec, `class_weight`: weights go by class name, and a class that is not named weighs 1.
"""

from collections.abc import Iterator, Mapping

from kbuild.plan.agree import EXCLUSIVE
from kbuild.plan.rules.net import Net
from kbuild.plan.rules.rule import at_path
from kbuild.spec.names import nearest
from kbuild.text.node import Mapping as MappingNode
from kbuild.text.node import Node
from kbuild.text.problem import Problem
from kbuild.text.source import Span

CODE = "K346"
SEVERITY = "error"


def find(net: Net) -> Iterator[Problem]:
    """Weights that weigh nothing."""
    wanted = net.spec.train.class_weight if net.spec else None
    if net.spec is None or net.header is None or wanted is None or any(head.task is None for head in net.heads):
        return
    told = [head for head in net.heads if head.task in EXCLUSIVE and head.loss is not None]
    if not told:
        tasks = " and ".join(dict.fromkeys(f"{head.task}" for head in net.heads))
        message = f"`class_weight` needs an output that tells classes, and the task is {tasks}"
        help = "leave it out; examples are weighed by `weights` of the source"
        yield at_path(CODE, SEVERITY, net.spec, "train.class_weight", message, help)
        return
    for head in told:
        classes = head.classes or tuple(str(number) for number in range(head.count or 0))
        for name in wanted if isinstance(wanted, Mapping) and classes else ():
            if name not in classes:
                near = nearest(name, classes)
                listed = ", ".join(f"`{one}`" for one in classes[:12]) + (", …" if len(classes) > 12 else "")
                help = f"did you mean `{near}`? " if near else ""
                path = f"train.class_weight.{name}"
                span = _key(net.spec.node, ["train", "class_weight"], name)
                message = f"`class_weight` names `{name}`, which is no class of the data"
                help += f"There is {listed}" if near else f"there is {listed}"
                yield at_path(CODE, SEVERITY, net.spec, path, message, help, span)


def _key(node: Node | None, path: list[str], name: str) -> Span | None:
    for part in path:
        node = node.get(part) if isinstance(node, MappingNode) else None
    key = node.key(name) if isinstance(node, MappingNode) else None
    return key.span if key else None
