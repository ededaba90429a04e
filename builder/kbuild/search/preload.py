"""Imported by the process from which workers are forked: Keras is loaded once, and its memory is theirs together.

Nothing is computed here, so that there are no threads and no devices which a fork would break.
"""

import contextlib
import os

from kbuild.model import backend
from kbuild.text.problem import SpecError

VARIABLE = "KBUILD_PRELOAD"
"""Of the environment: the backend to load."""
LATER = (
    *("kbuild.search.workers", "kbuild.train.fit", "kbuild.train.resume", "kbuild.train.session"),
    *("kbuild.train.outputs", "sklearn.metrics"),
)
"""What workers need besides; some of it imports Keras, which has its backend by then."""

if VARIABLE in os.environ:
    with contextlib.suppress(SpecError):  # the first trial says what is wrong
        backend.start(os.environ.pop(VARIABLE))
