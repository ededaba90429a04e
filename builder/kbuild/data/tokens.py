"""Text → integers: words, a vocabulary of the most frequent, and a row of the same length for every text."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

PAD, OTHER, FIRST = 0, 1, 2
"""What fills a row up, what stands for a word that is not in the vocabulary, and the number of the first word in it."""

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Its words in lower case: runs of letters, digits and underscores.

    >>> words("It isn't 3.5!")
    ['it', 'isn', 't', '3', '5']
    """
    return _WORD.findall(text.lower())


def vocabulary(texts: Iterable[str], size: int) -> list[str]:
    """The most frequent words, those of the same frequency by the alphabet; `size` counts PAD and OTHER too."""
    counts = Counter(word for text in texts for word in words(text))
    return sorted(counts, key=lambda word: (-counts[word], word))[: max(0, size - FIRST)]


def encode(texts: Sequence[str], vocabulary: Sequence[str], length: int) -> np.ndarray:
    """(texts, length) int32: the first words of each, PAD behind."""
    index = {word: number for number, word in enumerate(vocabulary, FIRST)}
    found = np.full((len(texts), length), PAD, np.int32)
    for row, text in zip(found, texts, strict=True):
        numbers = [index.get(word, OTHER) for word in words(text)[:length]]
        row[: len(numbers)] = numbers
    return found
