"""Layers that make spectrograms of audio."""

from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.grid import grid, slid
from kbuild.plan.shapes.mistake import ShapeMistake

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


def mel(given: Given) -> Shapes:
    """(samples,) → (num_mel_bins, frames): one frame at the start and one after every stride.

    Keras declares one more where the last sample is the last but one of a stride, and computes none: unknown there.
    """
    bins, stride = given.whole("num_mel_bins", 128), given.whole("sequence_stride", 512)
    length = given.whole("fft_length", 2048)
    shape = given.tensor()
    given.rank(shape, ("samples",))
    if given.args.get("sequence_length") is not None and given.whole("sequence_length") > length:
        raise ShapeMistake(
            f"`sequence_length` of `{given.name}` is at most `fft_length`, {length}",
            "raise `fft_length`",
            "sequence_length",
        )
    samples = shape[0]
    if samples is None:
        return ((bins, None),)
    if samples <= length // 2:
        raise ShapeMistake(
            f"`{given.name}` needs more than {length} // 2 = {length // 2} samples but gets {samples}",
            f"write an `fft_length` below {2 * samples}",
        )
    frames = 1 + (samples + 2 * (length // 2) - length) // stride
    return ((bins, frames if frames == (samples + stride + 1) // stride else None),)


def short_time(given: Given) -> Shapes:
    """(samples, channels) → (frames, frequencies · channels), or (frames, frequencies, channels) with `expand_dims`.

    Frequencies are fft_length // 2 + 1, twice as many with `mode: stft`.
    """
    mode = given.choice("mode", "log", _MODES)
    length = given.whole("frame_length", 256)
    step = _or(given, "frame_step", length // 2)
    fft = _or(given, "fft_length", 1 << max(0, length - 1).bit_length())
    padding = given.choice("padding", "valid", ("valid", "same"))
    if not 1 <= step <= length:
        raise given.wrong("frame_step", f"a whole number from 1 to {length}, the frame", step)
    if fft < length:
        raise given.wrong("fft_length", f"a whole number of at least {length}, the frame", fft)
    frequencies = (fft // 2 + 1) * (2 if mode == "stft" else 1)
    places = grid(given, 1)
    frames = slid(given, places.sizes, (length,), (step,), padding, what="frame")
    if given.flag("expand_dims"):
        return (
            (places.channels, *frames, frequencies)
            if places.channels_first
            else (*frames, frequencies, places.channels),
        )
    channels = None if places.channels is None else places.channels * frequencies
    return (places.shape(frames, channels),)


def _or(given: Given, arg: str, default: int) -> int:
    return default if given.args.get(arg) is None else given.whole(arg)


RULES: dict[str, Rule] = {"MelSpectrogram": mel, "STFTSpectrogram": short_time}
