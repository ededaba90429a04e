"""SIGINT and SIGTERM → a flag that training looks at after each step. The handler does nothing else."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_entered: list["Signals"] = []


class Signals:
    """While it is entered, the first signal sets `received`; a second one acts as it would have without kbuild.

    One may be entered inside another, as a run is in a set of runs: what one has received, both have.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, object] = {}
        self._breaks = False

    @contextmanager
    def breaking(self) -> Iterator[None]:
        """What is done inside can be done again: a signal ends it at once, with a KeyboardInterrupt."""
        if self.received is not None:
            raise KeyboardInterrupt
        self._breaks = True
        try:
            yield
        finally:
            self._breaks = False

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread():
            self.received = _entered[-1].received if _entered else None
            _entered.append(self)
            if self.received is None:
                for number in (signal.SIGINT, signal.SIGTERM):
                    self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        if self in _entered:
            _entered.remove(self)
        outer = _entered[-1] if _entered and self.received is not None else None
        if outer is not None:
            outer.received = outer.received or self.received
        else:
            for number, handler in self._previous.items():
                signal.signal(number, handler)  # pyright: ignore[reportArgumentType]
        self._previous = {}

    def _handle(self, number: int, _: FrameType | None) -> None:
        self.received = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if self._breaks:
            raise KeyboardInterrupt
