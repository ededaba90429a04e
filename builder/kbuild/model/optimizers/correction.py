"""The bias of an exponential average that starts at 0."""

import math

from keras import ops


def correction(beta, step):
    """1 - beta^step, without the loss of digits that the subtraction brings when beta is close to 1.

    Args:
        beta: 0 ≤ beta < 1, a Python number.
        step: number of values averaged so far, ≥ 1; a float32 scalar.
    """
    return -ops.expm1(step * math.log(beta)) if beta > 0 else ops.ones_like(step)
