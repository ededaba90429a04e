"""Labels → how much an example of each class weighs."""

import numpy as np


def balanced(labels: np.ndarray, count: int) -> dict[int, float]:
    """Weights that let every class weigh the same: examples / (classes · examples of the class).

    The formula is scikit-learn's `class_weight="balanced"` (King and Zeng, 2001), over the classes that have
    examples; a class without any weighs 0.

    Args:
        labels: (examples,) integers in [0, count).
        count: number of classes.

    >>> balanced(np.array([0, 0, 0, 1]), 2)
    {0: 0.6666666666666666, 1: 2.0}
    """
    sizes = np.bincount(np.asarray(labels).astype(np.int64).reshape(-1), minlength=count)
    present = int(np.count_nonzero(sizes))
    return {label: float(sizes.sum() / (present * size)) if size else 0.0 for label, size in enumerate(sizes.tolist())}
