"""Preprocessing: numbers, categories and pictures. Layers that change pictures at random do so in training only."""

from functools import partial

from kbuild.plan.cost.arrange import resampled
from kbuild.plan.cost.merge import copied
from kbuild.plan.cost.own import elementwise
from kbuild.plan.cost.use import Rule, Use, Weights, Work, numbers, rule
from kbuild.plan.shapes.mistake import UnknownShape


def resized(use: Use) -> Work:
    """As `interpolation` says, by default `bilinear`."""
    return resampled(use, use.args.get("interpolation", "bilinear"))


def binned(use: Use) -> Work:
    """A binary search among the bins for each number that comes in."""
    edges = use.args.get("bin_boundaries")
    count = len(edges) + 1 if isinstance(edges, list | tuple) else use.given.whole("num_bins")
    return numbers(use.given.tensor()) * count.bit_length(), use.numbers()


def unknown(use: Use) -> Work:
    """Operations that nobody counts."""
    return None, use.numbers()


def stft_weights(use: Use) -> Weights:
    """A real and an imaginary kernel, or one of them; they are trainable unless `trainable` says otherwise."""
    length, bins = _stft(use)
    return length * bins * (1 if use.args.get("mode") in ("real", "imag") else 2), 0


def stft_work(use: Use) -> Work:
    """Two convolutions, or one, and what is made of both: squares, sum, root, logarithm, each with its lower bound."""
    mode = use.args.get("mode", "log")
    out = use.numbers()
    products = 1 if mode in ("real", "imag", "stft") else 2
    more = {"angle": 1, "psd": 4, "magnitude": 5, "log": 7}.get(str(mode), 0)
    return out * (2 * _stft(use)[0] * products + more), out


def _stft(use: Use) -> tuple[int, int]:
    length = use.given.whole("frame_length", 256)
    transform = use.args.get("fft_length") or 1 << (length - 1).bit_length()
    if not isinstance(transform, int):
        raise UnknownShape
    return length, transform // 2 + 1


_COPIES = """
    CenterCrop RandomCrop CategoryEncoding Hashing HashedCrossing IntegerLookup StringLookup TextVectorization
    MaxNumBoundingBoxes
    RandomFlip RandomRotation RandomZoom RandomTranslation RandomShear RandomPerspective RandomElasticTransform
    RandomErasing RandomGaussianBlur RandomSharpness RandomHue RandomSaturation RandomColorJitter
    RandomColorDegeneration RandomGrayscale RandomBrightness RandomContrast RandomPosterization RandomInvert
    Equalization Solarization RandAugment AugMix CutMix MixUp
"""
"""Nothing is computed: a part is taken, a place in a table is looked up, or a network that is applied leaves it out."""

RULES: dict[str, Rule] = {
    **dict.fromkeys(_COPIES.split(), rule(copied)),
    "Rescaling": rule(partial(elementwise, flops=2)),
    "Resizing": rule(resized),
    "Discretization": rule(binned),
    "AutoContrast": rule(partial(elementwise, flops=8)),
    "ContrastLimitedAdaptiveHistogramEqualization": rule(unknown),
    "MelSpectrogram": rule(unknown),
    "STFTSpectrogram": rule(stft_work, stft_weights),
}
