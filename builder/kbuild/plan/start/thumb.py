"""Rules of thumb: numbers to start from when nothing else is known. Each is a function of the data alone."""

from collections.abc import Sequence

FILTERS, MOST_FILTERS = 32, 512
WORD = 32
"""Numbers for each word."""
RATE, FAST = 1e-3, 1e-2
"""Adam's learning rate in Kingma and Ba, arXiv:1412.6980, algorithm 1; and for networks of some dozens of units, which
take larger steps and have few of them in little data."""


def hidden(entering: int, leaving: int, examples: int | None) -> list[int]:
    """Widths of hidden dense layers: ⅔ of the inputs plus the outputs, between the two, under twice the inputs
    (Heaton: Introduction to neural networks for Java, second edition, 2008, chapter 5).

    One layer can fit any continuous function (Cybenko 1989), a second one pays where there are examples to learn it
    from: it has the geometric mean of what is before and behind it.

    Args:
        entering, leaving: inputs and outputs, at least 1.
        examples: None is not known.
    """
    low, high = sorted((entering, leaving))
    first = min(high, max(low, round(2 * entering / 3 + leaving)))
    if first >= 2 * entering:
        first = max(leaving, 2 * entering - 1)
    second = round((first * leaving) ** 0.5)
    deep = (examples or 0) >= 1000 and first >= 16 and leaving < second < first
    return [first, second] if deep else [first]


def dropout(widths: Sequence[int]) -> list[float]:
    """A rate for each layer: none before another normalization, which would see other variances in training than later
    (Li et al., arXiv:1801.05134), and less where a layer is too narrow to spare a unit (Srivastava et al., JMLR 15,
    2014, appendix A).
    """
    last = 0.2 if widths[-1] >= 16 else 0.1 if widths[0] >= 16 else 0.0
    return [*[0.0] * (len(widths) - 1), last]


def stages(sides: Sequence[int | None]) -> list[list[int]]:
    """Sizes of a map through stages that halve it, from the input on, until its smaller side is 4 to 7.

    Args:
        sides: None is not known; three stages are a start then.

    Returns:
        The sides before the first stage, and after each.
    """
    known = [side for side in sides if side is not None]
    if len(known) < len(sides):
        return [[side or 0 for side in sides]] * 4
    sizes = [known]
    while min(sizes[-1]) >= 8:
        sizes.append([-(-side // 2) for side in sizes[-1]])
    return sizes


def filters(count: int) -> list[int]:
    """Twice as many whenever the map is halved (Simonyan and Zisserman, arXiv:1409.1556), within reason."""
    return [min(MOST_FILTERS, FILTERS * 2**stage) for stage in range(count)]


def batch(examples: int | None) -> int:
    """Small for little data: noise helps there, and 32 is rarely wrong (Masters and Luschi, arXiv:1804.07612)."""
    count = examples or 2000
    size = 16 if count < 1000 else 32 if count < 10_000 else 64 if count < 50_000 else 128
    while size > 1 and count < 4 * size:
        size //= 2
    return size


def epochs(examples: int | None, size: int) -> int:
    """So many that there are some thousand steps; early stopping ends sooner."""
    steps = max(1, (examples or 2000) // size)
    return max(15, min(200, 4000 // steps // 5 * 5))


def patience(count: int) -> int:
    """A fifth of the epochs: the rate of learning still falls while one waits."""
    return max(4, count // 5)


def kept(examples: int | None) -> float:
    """Share for validation, and for testing: more of little, so that the numbers mean something."""
    return 0.2 if (examples or 2000) < 500 else 0.15 if (examples or 2000) < 10_000 else 0.1
