"""A graph → the rank of each node, the row that it stands in from above; edges go down."""

from collections.abc import Iterable, Mapping, Sequence


def ranks(
    nodes: Sequence[str], edges: Iterable[tuple[str, str]], first: Iterable[str], last: Iterable[str]
) -> Mapping[str, int]:
    """Longest paths from above; what has nothing above it stands right above what needs it.

    Args:
        nodes: in an order in which every edge goes forward.
        first, last: nodes of the top row and of the bottom row, which others do not share.
    """
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in edges:
        above.setdefault(target, []).append(source)
        below.setdefault(source, []).append(target)
    top, bottom = set(first), set(last)
    start = 1 if top else 0
    rank: dict[str, int] = dict.fromkeys(top, 0)
    for node in nodes:
        if node not in top:
            rank[node] = max((rank[other] + 1 for other in above.get(node, ())), default=start)
    for node in reversed(nodes):
        if node not in top and node not in above and node in below:
            rank[node] = max(start, min(rank[other] for other in below[node]) - 1)
    if bottom:
        deepest = 1 + max((rank[node] for node in nodes if node not in bottom), default=0)
        rank.update(dict.fromkeys(bottom, deepest))
    return rank
