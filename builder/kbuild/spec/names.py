"""The words a user may choose, and what to suggest for one that is not there."""

import difflib
import re
from collections.abc import Iterable

from kbuild.spec.expression import FUNCTIONS, WORDS
from kbuild.text.node import Scalar
from kbuild.text.problem import Problem

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
SPEC_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
SIBLINGS = ("name", "from", "outputs", "call", "repeat", "when", "trainable", "weights", "remat")
"""Keys beside the call of an entry."""
STRUCTURE = ("chain", "branches", "merge", "reuse")
NOUNS = {
    "layers": "layer",
    "applications": "application",
    "ops": "operation of `keras.ops`",
    "activations": "activation",
    "optimizers": "optimizer",
    "schedules": "learning-rate schedule",
    "losses": "loss",
    "metrics": "metric",
    "callbacks": "callback",
    "initializers": "initializer",
    "regularizers": "regularizer",
    "constraints": "constraint",
    "oracles": "oracle",
}
"""Namespace → what one of its calls is called."""

RESERVED = frozenset({"input", "previous", "i", "input_shape", *SIBLINGS, *STRUCTURE, *WORDS, *FUNCTIONS})


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` was probably meant to be, or None."""
    # of two that differ in case alone, the one in the writer's own style
    ordered = sorted(words, key=lambda other: other[:1].isupper() == word[:1].isupper())
    choices = {other.lower(): other for other in ordered}
    close = difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=0.6)
    return choices[close[0]] if close else None


def suggestion(word: str, words: Iterable[str], otherwise: str | None = None) -> str | None:
    """A help line: `did you mean …?`, or what there is if that is short enough to list, or `otherwise`."""
    words = sorted(words)
    close = nearest(word, words)
    if close:
        return f"did you mean `{close}`?"
    if words and len(words) <= 12:
        return "there is " + ", ".join(f"`{w}`" for w in words)
    return otherwise


def snake_case(name: str) -> str:
    """`Conv2D` → `conv2d`, `LSTM` → `lstm`, `GlobalAveragePooling2D` → `global_average_pooling2d`, as Keras names
    layers.
    """
    name = name.rsplit(".", 1)[-1]
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def bad_name(key: Scalar) -> Problem:
    """K113 for a name that cannot be given."""
    if key.value in RESERVED:
        return Problem(
            "K113", f"`{key.value}` is a word of the language and cannot be a name", key.span, help="choose another"
        )
    return Problem("K113", f"`{key.value}` is no name", key.span, help="a name is `[a-z][a-z0-9_]*`")
