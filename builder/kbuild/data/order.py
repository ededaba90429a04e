"""Orders: permutations that are pure functions of numbers, the same on every machine and with every NumPy.

The raw stream of a NumPy bit generator is fixed for ever (NEP 19), what `Generator.permutation` makes of it is not;
so the raw numbers are sorted.
"""

import numpy as np

_EPOCH, _SPLIT = 1, 2


def permutation(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order in which an epoch sees its examples.

    Args:
        count: number of examples, >= 0.
        seed: 0 <= seed < 2**32.
        epoch: 0 <= epoch < 2**32.

    Returns:
        (count,) int64, each of 0 … count - 1 once.

    >>> permutation(5, seed=0, epoch=0).tolist() == permutation(5, seed=0, epoch=0).tolist()
    True
    """
    return _order(count, (_EPOCH, seed, epoch))


def deal(count: int, seed: int) -> np.ndarray:
    """The order in which a split deals examples out; independent of every epoch's. Shape and types as `permutation`."""
    return _order(count, (_SPLIT, seed, 0))


def _order(count: int, entropy: tuple[int, int, int]) -> np.ndarray:
    keys = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(count)
    return np.argsort(keys, kind="stable").astype(np.int64, copy=False)
