"""(Dataset, seed) → the same, its training part a bootstrap sample of what it was. A pure function of both."""

from dataclasses import replace

import numpy as np

from kbuild.data.dataset import Dataset
from kbuild.data.order import sample


def bootstrapped(dataset: Dataset, seed: int) -> tuple[Dataset, str]:
    """Draw as many training examples as there are, with replacement (Breiman, 1996, Bagging Predictors, section 1).

    What else is known of the data stays: the other parts, the digest, and the encoding that was learned from the whole
    training part, so that all that are trained on samples of it take the same numbers.

    Args:
        seed: 0 <= seed < 2**32.

    Returns:
        The data, and a line that says how many examples were drawn at least once.
    """
    index = sample(len(dataset.train), seed)
    found = len(np.unique(index))
    said = f"bootstrap: {found:,} of {len(index):,} training examples are drawn, some several times"
    return replace(dataset, train=dataset.train.take(index)), said
