"""Orders and draws of examples: pure functions of numbers, the same on every machine and with every NumPy.

The raw stream of a NumPy bit generator is fixed for ever (NEP 19), what `Generator.permutation` makes of it is not;
so the raw numbers are sorted, or scaled.
"""

import numpy as np

_EPOCH, _SPLIT, _SAMPLE = 1, 2, 3


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


def sample(count: int, seed: int) -> np.ndarray:
    """A bootstrap sample: as many examples, each drawn from all of them (Efron, 1979, Bootstrap Methods).

    A raw number of 32 bits becomes one below `count` by a product and a shift (Lemire, arXiv:1805.10941, section 3),
    which prefers no example by more than count / 2**32.

    Args:
        count: number of examples, 0 <= count < 2**32.
        seed: 0 <= seed < 2**32.

    Returns:
        (count,) int64, in ascending order; of 0 … count - 1 about 63 % are there, some several times.

    >>> sample(8, seed=0).tolist() == sample(8, seed=0).tolist()
    True
    """
    raw = np.random.PCG64(np.random.SeedSequence((_SAMPLE, seed, 0))).random_raw(count)
    return np.sort(((raw >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)).astype(np.int64, copy=False)


def _order(count: int, entropy: tuple[int, int, int]) -> np.ndarray:
    keys = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(count)
    return np.argsort(keys, kind="stable").astype(np.int64, copy=False)
