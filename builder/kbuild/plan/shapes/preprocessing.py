"""Preprocessing layers: scaling, image sizes, random changes of images, categories and bins."""

from functools import partial

from kbuild.plan.shapes.given import Given, Rule, Shapes
from kbuild.plan.shapes.grid import grid, words
from kbuild.plan.shapes.keep import same
from kbuild.plan.shapes.mistake import ShapeMistake, UnknownShape, show
from kbuild.spec.call import Call


def resized(given: Given) -> Shapes:
    """(rows, columns, channels) → (height, width, channels)."""
    height, width = given.whole("height"), given.whole("width")
    places = grid(given, 2)
    return (places.shape((height, width), places.channels),)


def image(given: Given) -> Shapes:
    """The image's shape."""
    shape = given.tensor()
    given.rank(shape, words(2, given.channels_first()))
    return (shape,)


def coloured(given: Given, channels: tuple[int, ...] = (3,)) -> Shapes:
    """The image's shape, where the layer works on colours; `channels` are the numbers of them that it takes."""
    shape = given.tensor()
    given.rank(shape, words(2, given.channels_first()))
    found = grid(given, 2).channels
    if found is not None and found not in channels:
        numbers = " or ".join(str(number) for number in channels)
        message = f"`{given.name}` works on colours: it needs {numbers} channels but gets {show(shape)}"
        raise ShapeMistake(message, "take a layer that leaves colours alone")
    return (shape,)


def jittered(given: Given) -> Shapes:
    """The image's shape; of its changes two are of colours."""
    on = [name for name in ("hue_factor", "saturation_factor") if given.args.get(name) is not None]
    return coloured(given) if on else image(given)


def categories(given: Given) -> Shapes:
    """(n,) whole numbers → (num_tokens,); `one_hot` of (n,) → (n, num_tokens), of (1,) → (num_tokens,)."""
    mode = given.choice("output_mode", "multi_hot", ("one_hot", "multi_hot", "count"))
    tokens = given.whole("num_tokens")
    shape = given.tensor()
    if not shape:
        return ((tokens,),) if mode == "one_hot" else None
    one_each = mode == "one_hot" and shape[-1] != 1
    return ((*(shape if one_each else shape[:-1]), tokens),)


def bins(given: Given) -> Shapes:
    """`int`: the shape stays; `one_hot`: a new axis of bins; `multi_hot`, `count`: bins in place of the first axis."""
    mode = given.choice("output_mode", "int", ("int", "one_hot", "multi_hot", "count"))
    edges = given.args.get("bin_boundaries")
    depth = len(edges) + 1 if isinstance(edges, (list, tuple)) else given.whole("num_bins")
    shape = given.tensor()
    if mode == "int":
        return (shape,)
    if mode == "one_hot":
        return ((*(shape[:-1] if shape and shape[-1] == 1 else shape), depth),)
    return ((*shape[1:], depth),) if shape else None


def pipeline(given: Given) -> Shapes:
    """What the last of the `layers` gives, one after the other."""
    layers = given.raw("layers")
    shape: object = given.tensor()
    for layer in layers if isinstance(layers, (list, tuple)) else [layers]:
        if not isinstance(layer, Call) or given.of is None:
            raise given.wrong("layers", "a list of layers", layers)
        out = given.of(layer.name, layer.args, [shape], namespace=layer.namespace)
        if out is None or len(out) != 1:
            raise UnknownShape
        shape = out[0]
    return (shape,)  # type: ignore[return-value]


_IMAGES = """
    RandomFlip RandomRotation RandomZoom RandomTranslation RandomShear RandomPerspective RandomElasticTransform
    RandomErasing RandomGaussianBlur RandomSharpness RandomBrightness RandomContrast RandomPosterization RandomInvert
    AutoContrast Equalization Solarization ContrastLimitedAdaptiveHistogramEqualization
    MixUp CutMix MaxNumBoundingBoxes
"""
_COLOURS_OR_GREY = ("RandomColorDegeneration", "RandomGrayscale", "RandAugment", "AugMix")

RULES: dict[str, Rule] = {
    "Rescaling": same,
    **dict.fromkeys(("Resizing", "CenterCrop", "RandomCrop"), resized),
    **dict.fromkeys(_IMAGES.split(), image),
    **dict.fromkeys(("RandomHue", "RandomSaturation"), coloured),
    **dict.fromkeys(_COLOURS_OR_GREY, partial(coloured, channels=(1, 3))),
    "RandomColorJitter": jittered,
    "CategoryEncoding": categories,
    "Discretization": bins,
    "Pipeline": pipeline,
}
