"""`keras.ops` of signals, along the last axis: the Fourier transforms, and windows that slide over a signal.

Complex tensors are two, the real and the imaginary part.
"""

from kbuild.plan.shapes.batched import full, one, unbatched
from kbuild.plan.shapes.given import Given, Known, Rule, Shapes
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show


def transformed(given: Given) -> Shapes:
    """Two parts of one shape → two of that shape; `fft2` and `ifft2` need both last sizes known."""
    shape = _parts(given, 2)
    least = 1 if given.name.endswith("fft") else 2
    if len(shape) <= least or None in shape[-least:]:
        raise _unknown_size(given, shape, least)
    return (unbatched(shape), unbatched(shape))


def of_real(given: Given) -> Shapes:
    """(…, n) → twice (…, n // 2 + 1); `fft_length` stands in for n."""
    shape = full(given, outputs=2)
    size = given.whole("fft_length") if given.args.get("fft_length") is not None else shape[-1]
    out = unbatched((*shape[:-1], None if size is None else size // 2 + 1)) if len(shape) > 1 else None
    return (out, out)


def to_real(given: Given) -> Shapes:
    """Two parts (…, n) → (…, 2·(n - 1)), or (…, fft_length)."""
    shape = _parts(given, 1)
    size = shape[-1]
    if given.args.get("fft_length") is not None:
        size = given.whole("fft_length")
    elif size is not None:
        size = 2 * (size - 1)
    return one((*shape[:-1], size)) if len(shape) > 1 else (None,)


def short_time(given: Given) -> Shapes:
    """(…, samples) → twice (…, frames, fft_length // 2 + 1); `center` adds half an `fft_length` at each end."""
    given.whole("sequence_length")
    stride, length = given.whole("sequence_stride"), given.whole("fft_length")
    shape = full(given, outputs=2)
    if len(shape) < 2:
        return (None, None)
    center = given.args.get("center", True) is not False
    frames = _frames(given, shape[-1], length, stride, (length // 2) * 2 if center else 0)
    out = unbatched((*shape[:-1], frames, length // 2 + 1))
    return (out, out)


def from_short_time(given: Given) -> Shapes:
    """Two parts (…, frames, …) → (…, samples), or (…, length)."""
    given.whole("sequence_length")
    stride, size = given.whole("sequence_stride"), given.whole("fft_length")
    shape = _parts(given, 1)
    if len(shape) < 3:
        raise ShapeMistake(f"`{given.name}` needs (frames, frequencies) but gets {show(shape[1:])}")
    if given.args.get("length") is not None:
        return one((*shape[:-2], given.whole("length")))
    frames = shape[-2]
    if frames is None:
        return one((*shape[:-2], None))
    samples = (frames - 1) * stride + size - ((size // 2) * 2 if given.args.get("center", True) is not False else 0)
    return one((*shape[:-2], samples))


def sequences(given: Given) -> Shapes:
    """(…, n) → (…, 1 + (n - length) // stride, length)."""
    length, stride = given.whole("sequence_length"), given.whole("sequence_stride")
    shape = full(given)
    if len(shape) < 2:
        return (None,)
    return one((*shape[:-1], _frames(given, shape[-1], length, stride, 0), length))


def _frames(given: Given, size: int | None, length: int, stride: int, added: int) -> int | None:
    if size is None:
        return None
    count = 1 + (size + added - length) // stride
    if count < 1:
        raise ShapeMistake(
            f"`{given.name}` takes {length} samples at a time but gets only {size + added}: "
            f"1 + ({size + added} - {length}) // {stride} = {count}",
            "take fewer at a time",
        )
    return count


def _parts(given: Given, outputs: int) -> Known:
    value = given.find(0, None)
    if not isinstance(value, list) or len(value) != 2:
        raise ShapeMistake(
            f"`{given.name}` needs two inputs, the real and the imaginary part",
            "name them: `from: [real, imaginary]`",
        )
    real, imaginary = value
    if not isinstance(real, tuple) or not isinstance(imaginary, tuple):
        raise UnknownShape(outputs)
    if real != imaginary:
        raise ShapeMistake(
            f"`{given.name}` needs both parts, real and imaginary, of one shape but gets {show(real)} and "
            f"{show(imaginary)}"
        )
    return (None, *real)


def _unknown_size(given: Given, shape: Known, count: int) -> ShapeMistake:
    what = "the last size" if count == 1 else "the last two sizes"
    return ShapeMistake(f"`{given.name}` needs {what} to be known but gets {show(shape[1:])}")


RULES: dict[str, Rule] = {
    **dict.fromkeys(("fft", "fft2", "ifft2"), transformed),
    "rfft": of_real,
    "irfft": to_real,
    "stft": short_time,
    "istft": from_short_time,
    "extract_sequences": sequences,
}
