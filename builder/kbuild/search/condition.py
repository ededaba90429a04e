"""Conditions of which one has to hold, as KerasTuner's hyperparameters take them; its own must all hold."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

Term = Sequence[tuple[str, Sequence[Any]]]
"""Names of hyperparameters, each with the values that it may have; all of it must hold."""


@keras.saving.register_keras_serializable("kbuild")
class Either:
    """Holds where one of its terms does.

    KerasTuner writes a hyperparameter down and reads it again whenever it copies one: so does this.
    """

    def __init__(self, terms: Sequence[Term]):
        self.terms = [[(name, list(values)) for name, values in term] for term in terms]

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds, given the hyperparameters that are there."""
        return any(all(name in values and values[name] in some for name, some in term) for term in self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Either) and other.terms == self.terms

    def __hash__(self) -> int:
        return hash(str(self.terms))

    def get_config(self) -> dict[str, Any]:
        """What makes it."""
        return {"terms": self.terms}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Either":
        """It, from what makes it."""
        return cls(**config)
