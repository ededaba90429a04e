"""How wide a text is, by a table of rounded widths of a wide sans serif, and the sizes of what is drawn."""

from functools import cache

CALL, NOTE, TITLE = 12.0, 10.0, 11.0
"""Sizes of letters in pixels: of a call, of what stands below it, of a frame's title."""
PAD, HEAD, FOOT, LINE = 14.0, 28.0, 20.0, 15.0
"""Room beside what is in a frame, above it, below it; the height of a line of a call."""
STACK, CARD = 4.0, 3.0
"""How far the cards of a stack are apart, of frames and of boxes; there are three."""
_WIDTHS = {
    25: "'",
    30: " ,.IJijl·",
    35: "-/:;\\f|",
    40: "!()[]rt",
    45: '"',
    50: "*_`sz–",
    55: "?Lc",
    60: "FPTYaekovxy",
    65: "$0123456789EKSbdghnpqu{}",
    70: "ABCRVXZ",
    75: "DGHNU",
    80: "&OQw",
    85: "#+<=>M^~×→↑−",
    95: "%m",
    100: "@W…",
}
"""Hundredths of the font's size → characters."""
_WIDTH = {mark: width for width, marks in _WIDTHS.items() for mark in marks}
BOLD = 1.13


@cache
def width(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is, in the units of `size`, the font's size."""
    return sum(_WIDTH.get(mark, 100) for mark in text) / 100 * size * (BOLD if bold else 1)
