"""Call and shapes of its inputs → shapes of its outputs, as Keras gives them. One pure function for a layer family.

`shapes_of` looks a rule up by class name (`table`); a layer without a rule has an unknown shape, never a guessed one.
`mistake` the error that a rule raises · `given` what a rule works on · `grid` (rows, columns, channels) and its sizes ·
one file per family: `dense`, `convolution`, `transposed`, `pooling`, `normalization`, `keep`, `merge`, `reshape`,
`border`, `attention`, `recurrent`, `wrapper`, `preprocessing`, `spectrogram`, `own` · `keras.ops`: `batched`,
`elementwise`, `reduction`, `axes`, `joining`, `indexing`, `einsum`, `products`, `matrices`, `windows`, `signal`,
`losses`.
"""

from kbuild.plan.shapes.mistake import ShapeMistake as ShapeMistake
from kbuild.plan.shapes.table import shapes_of as shapes_of
