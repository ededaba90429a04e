"""Call → the family of its layer, and the colours of a family.

The hues are those of Okabe and Ito (Color Universal Design, 2008), which people with any colour vision can tell apart.
"""

from dataclasses import dataclass

from kbuild.spec.call import Call
from kbuild.spec.python_source import module


@dataclass(frozen=True, slots=True)
class Colours:
    """The inside of a box and its edge, as `#rrggbb`."""

    fill: str
    line: str


INK, FAINT, WIRE = "#1b2430", "#56616e", "#7d8894"
PLAIN = Colours("#f1f3f5", "#9aa5b1")
FAMILIES = {
    "convolutional": Colours("#dcebf7", "#0072b2"),
    "pooling": Colours("#fbe3d3", "#d55e00"),
    "core": Colours("#f7e3ee", "#cc79a7"),
    "rnn": Colours("#f7e3ee", "#a8487f"),
    "attention": Colours("#fbeecb", "#e69f00"),
    "normalization": Colours("#fbf8d4", "#b8a91a"),
    "activations": Colours("#d8f1e8", "#009e73"),
    "merging": Colours("#dcf0fb", "#56b4e9"),
    "regularization": Colours("#eceef1", "#9aa5b1"),
    "reshaping": Colours("#eceef1", "#6d7885"),
    "ops": Colours("#eceef1", "#6d7885"),
}
"""By the folder of Keras that a layer stands in, `ops` for operations; others are PLAIN."""


def family(call: Call) -> str:
    """The folder of Keras's source that a layer stands in: `convolutional`, `core`, `rnn`; else its namespace."""
    if call.namespace != "layers":
        return call.namespace
    published = module("keras.layers")
    origin = published.imports.get(call.name) if published else None
    parts = origin[0].split(".") if origin else []
    return parts[3] if len(parts) > 4 and parts[:3] == ["keras", "src", "layers"] else "layers"


def colours(family: str) -> Colours:
    """The colours of a family."""
    return FAMILIES.get(family, PLAIN)
