"""(Model, Feed, Choice) → what Keras's `fit` and `evaluate` are given, so that steps run as was chosen.

Where the examples are in memory, the loop over the steps of an execution is part of the program, which XLA compiles or,
on TensorFlow, its graph runs; on JAX a loop that XLA would slow down calls a compiled step. `fit` is then given the
numbers of steps, and a training function that gathers their batches itself. One program does any number of steps, so
that what it computes does not depend on how steps are grouped.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

import keras
import numpy as np

from kbuild.train import execution_rule as rule
from kbuild.train.execution_rule import Choice
from kbuild.train.feed import Feed, Held

_STEP = "step"  # Keras takes bare numbers from a tf.data.Dataset only
_FAR = 2**40  # more batches than there are


class Running:
    """How a model's steps are run. A compiled program is kept for the next call of `fit`, if that fits it."""

    def __init__(self, model: Any, choice: Choice, accelerated: bool):
        self.choice = choice
        self._model, self._accelerated = model, accelerated
        self._made: tuple[object, Held, Any] | None = None
        self._measured: list[Held] = []
        self._test: Any = None

    def ready(self) -> None:
        """Have Keras evaluate the model as was chosen; `compile` forgets it."""
        model, choice = self._model, self.choice
        # the loop is compiled here, and XLA takes longer to compile an evaluation than it saves
        jit = choice.jit and not (self._loops() and keras.backend.backend() == "tensorflow")
        if (model.jit_compile, model.steps_per_execution) != (jit, choice.steps_per_execution):
            model.jit_compile, model.steps_per_execution = jit, choice.steps_per_execution
            model.train_function = model.test_function = None

    def data(self, feed: Feed, first: int = 0) -> object:
        """What to give to `fit` for an epoch from batch `first` on. The model is made ready for it."""
        self.ready()
        held, model = feed.held, self._model
        if held is None or not self._loops(feed.steps):
            return feed.data if first == 0 else feed.rest(first)
        if self._made is None or self._made[0] is not model.optimizer or self._made[1] is not held:
            # a program knows the optimizer and the examples that it was made with
            model._symbolic_build(data_batch=held.example())
            if keras.backend.backend() == "jax":
                made = _jax(model, held, feed.steps, rule.loops(rule.families(model), self._accelerated))
            else:
                made = _tensorflow(model, held, feed.steps, self.choice.jit)
            self._made = (model.optimizer, held, made)
        model.train_function = self._made[2]
        return _numbers(first, feed.steps, self.choice.steps_per_execution)

    def measured(self, feed: Feed) -> object:
        """What to give to `evaluate`, or to `fit` for validation. The model is made ready for it."""
        self.ready()
        held, model = feed.held, self._model
        if held is None or keras.backend.backend() != "tensorflow" or not self._loops():
            return feed.data
        if self._test is None or model.test_function is not self._test:
            # a program knows the metrics that it was made with
            model._symbolic_build(data_batch=held.example())
            model.test_function = self._test = _evaluation(model, self._measured)
        if held not in self._measured:
            self._measured.append(held)
        first = self._measured.index(held) * _FAR
        return _numbers(first, first + feed.steps, self.choice.steps_per_execution)

    def _loops(self, steps: int = 0) -> bool:
        """Whether the steps of an execution follow each other in a function of this file, on examples in memory.

        Args:
            steps: of an epoch. Where it is one, to begin a pipeline would take longer than the step.
        """
        name = keras.backend.backend()
        if name not in ("tensorflow", "jax") or keras.distribution.distribution() is not None:
            return False
        if getattr(self._model, "_distribute_strategy", None) is not None:
            return False
        if self.choice.steps_per_execution == 1 and steps != 1:
            return False
        if not self.choice.jit:
            return name == "tensorflow"
        return name == "jax" or rule.loops(rule.families(self._model), self._accelerated)


def _parts(held: Held, steps: int, first: int, count: int) -> list[tuple[int, int, int]]:
    """(first step, how many, examples in each): the whole batches, then the smaller one that an epoch may end with."""
    whole = held.count // held.size
    count = min(count, steps - first)
    parts = [(first, min(count, whole - first), held.size), (whole, count - (whole - first), held.count % held.size)]
    return [part for part in parts if part[1] > 0]


def _tensorflow(model: Any, held: Held, steps: int, jit: bool) -> Callable[[Any], Any]:
    import tensorflow as tf

    def run(order: Any, groups: Any, first: Any, count: Any, size: int) -> Any:
        def body(at: Any) -> Any:
            begin = at * held.size
            rows = tf.slice(order, [begin], [size]) if jit else order[begin : begin + held.size]
            taken = [{name: tf.gather(array, rows) for name, array in group.items()} for group in groups]
            model.train_step(held.batch(at, *taken))
            return at + 1

        tf.while_loop(lambda at: at < first + count, body, [first])
        return model.get_metrics_result()

    # XLA compiles for one size: for the last batch of an epoch that takes longer than it saves
    whole, last = (tf.function(run, jit_compile=xla, autograph=False) for xla in (jit, False))
    plain, order = model._make_function(model.train_step), _cached(held, tf.constant)

    def compiled(at: int, count: int, size: int) -> Any:
        taken = whole if size == held.size else last
        return taken(order(), held.groups(), tf.constant(at), tf.constant(count), size)

    def parts(first: int, count: int) -> list[tuple[int, int, int]]:
        # a graph takes batches of any size
        return _parts(held, steps, first, count) if jit else [(first, min(count, steps - first), held.size)]

    # no step is run, but all is compiled: what XLA cannot do shows before training begins
    for _, _, size in parts(0, steps):
        compiled(0, 0, size)

    def function(iterator: Any) -> Any:
        if not isinstance(iterator.element_spec, tf.TensorSpec):
            return plain(iterator)
        first, logs = int(next(iterator)), None
        for at, count, size in parts(first, model.steps_per_execution):
            logs = compiled(at, count, size)
        return logs

    return function


def _evaluation(model: Any, known: list[Held]) -> Callable[[Any], Any]:
    """Of examples that are told apart by the number of their first batch: the nth begin at n × _FAR."""
    import tensorflow as tf

    def run(order: Any, groups: Any, first: Any, count: Any, held: Held) -> Any:
        def body(at: Any) -> Any:
            rows = order[at * held.size : (at + 1) * held.size]
            taken = [{name: tf.gather(array, rows) for name, array in group.items()} for group in groups]
            model.test_step(held.batch(at, *taken))
            return at + 1

        tf.while_loop(lambda at: at < first + count, body, [first])
        return model.get_metrics_result()

    plain, programs, orders = model._make_function(model.test_step), {}, {}

    def program(held: Held) -> Any:
        """The same for all examples of the same kind, however many there are."""
        of_any = [{name: tf.TensorSpec((None, *a.shape[1:]), a.dtype) for name, a in g.items()} for g in held.groups()]
        kind = str((held.size, of_any))
        if kind not in programs:
            number = tf.TensorSpec((), tf.int32)
            made = tf.function(lambda order, groups, at, count: run(order, groups, at, count, held), autograph=False)
            programs[kind] = made.get_concrete_function(tf.TensorSpec((None,), tf.int32), of_any, number, number)
        return programs[kind]

    def function(iterator: Any) -> Any:
        if not isinstance(iterator.element_spec, tf.TensorSpec):
            return plain(iterator)
        at, first = divmod(int(next(iterator)), _FAR)
        held = known[at]
        count = min(model.steps_per_execution, -(-held.count // held.size) - first)
        order = orders.setdefault(at, tf.range(held.count))
        return program(held)(order, list(held.groups()), tf.constant(first), tf.constant(count))

    return function


def _jax(model: Any, held: Held, steps: int, whole: bool) -> Callable[[Any, Any], Any]:
    import jax  # pyright: ignore[reportMissingImports]

    def step(state: Any, order: Any, groups: Any, at: Any, size: int) -> Any:
        rows = jax.lax.dynamic_slice(order, (at * held.size,), (size,))
        taken = [{name: jax.numpy.take(a, rows, 0, mode="clip") for name, a in g.items()} for g in groups]
        return model.train_step(state, held.batch(at, *taken))[1]

    def loop(state: Any, order: Any, groups: Any, first: Any, count: Any, size: int) -> Any:
        return jax.lax.fori_loop(first, first + count, lambda at, state: step(state, order, groups, at, size), state)

    def calls(state: Any, order: Any, groups: Any, first: int, count: int, size: int) -> Any:
        for at in range(first, first + count):
            state = one(state, order, groups, at, size=size)
        return state

    def result(variables: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(model.metrics_variables, variables, strict=True))):
            return model.get_metrics_result()

    one, looped = (jax.jit(function, static_argnames="size", donate_argnums=0) for function in (step, loop))
    run, result = looped if whole else calls, jax.jit(result)
    plain, order = model._make_function(jax.jit(model.train_step, donate_argnums=0)), _cached(held, jax.numpy.asarray)

    def function(state: Any, iterator: Any) -> Any:
        data = next(iterator)
        if not isinstance(data, dict) or set(data) != {_STEP}:
            return plain(state, chain((data,), iterator))
        for at, count, size in _parts(held, steps, int(data[_STEP]), model.steps_per_execution):
            state = run(state, order(), held.groups(), at, count, size=size)
        return result(state[3]), state

    return function


def _cached(held: Held, tensor: Callable[[np.ndarray], Any]) -> Callable[[], Any]:
    """Gives the order of the epoch as a tensor, made once for each order."""
    kept: list[Any] = [None, None]

    def order() -> Any:
        found = held.order()
        if kept[0] is not found:
            kept[:] = found, tensor(found.astype("int32"))
        return kept[1]

    return order


def _numbers(first: int, steps: int, spread: int) -> object:
    """As many elements as there are batches from `first` on, which Keras counts; number n opens execution n.

    The elements are the numbers of the first step of each execution; Keras asks for no more of them than there are.
    """
    if keras.backend.backend() != "tensorflow":
        return _Numbers(first, steps, spread)
    import tensorflow as tf

    return tf.data.Dataset.range(first, first + (steps - first) * spread, spread)


class _Numbers(keras.utils.PyDataset):
    def __init__(self, first: int, steps: int, spread: int):
        super().__init__()
        self._first, self._steps, self._spread = first, steps, spread

    def __len__(self) -> int:
        return self._steps - self._first

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {_STEP: np.asarray(self._first + index * self._spread)}
