"""A call: a public Keras object (or one of kbuild's own) by its name and its arguments, with nothing left to look
up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kbuild.text.source import Span


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be called, and with what.

    Args:
        namespace: the public namespace the name was found in: `layers`, `applications`, `ops`, `activations`,
            `optimizers`, `schedules`, `losses`, `metrics`, `callbacks`, `initializers`, `regularizers`, `constraints`,
            `oracles`; or `identifier` for a string that Keras takes for an object (`mse`, `accuracy`).
        name: `Conv2D`, `expand_dims`, `mse`.
        args: by argument name; a lone value has been given the name of the first argument.
        span: the name, as written.
        spans: where each argument's value stands.
    """

    namespace: str
    name: str
    args: Mapping[str, "Value"] = field(default_factory=dict)
    span: Span | None = field(default=None, compare=False, repr=False)
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> object:
        """A section holds a call as it is; what is in it was checked when it was made."""
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)


@dataclass(frozen=True, slots=True)
class Nested:
    """A block used where Keras takes a layer (`TimeDistributed: {layer: {frame_cnn: 64}}`): a model of its own.

    Args:
        plan: a `kbuild.plan.Plan` (typed loosely here, because this room is above that one).
    """

    plan: object
    span: Span | None = field(default=None, compare=False, repr=False)


Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"] | Call | Nested
