"""The pictures that benches train on: MNIST where it is found, else random ones of its shapes."""

from pathlib import Path

import numpy as np


def mnist(root: Path | None) -> tuple[list[np.ndarray], str]:
    """x and y of the training part, x and y of the test part, and which pictures they are.

    Args:
        root: a folder with `mnist.npz`.

    Returns:
        x (60,000, 28, 28) and (10,000, 28, 28), 0-255; y (60,000,) and (10,000,), 0-9.
    """
    file = None if root is None else root / "mnist.npz"
    if file is not None and file.exists():
        with np.load(file) as found:
            return [found[key] for key in ("x_train", "y_train", "x_test", "y_test")], "MNIST"
    draw = np.random.default_rng(0)
    y, ty = draw.integers(0, 10, 60_000), draw.integers(0, 10, 10_000)
    centers = draw.uniform(0, 255, (10, 28, 28))
    x, tx = (np.clip(centers[labels] + draw.normal(0, 120, (len(labels), 28, 28)), 0, 255) for labels in (y, ty))
    return [x, y, tx, ty], "random pictures of MNIST's shapes"
