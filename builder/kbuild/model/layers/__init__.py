"""kbuild's own layers: what the field names and Keras lacks. Registered with Keras under `kbuild>`."""

from kbuild.model.layers.add_loss import AddLoss as AddLoss
from kbuild.model.layers.application_preprocessing import ApplicationPreprocessing as ApplicationPreprocessing
from kbuild.model.layers.class_token import ClassToken as ClassToken
from kbuild.model.layers.instance_normalization import InstanceNormalization as InstanceNormalization
from kbuild.model.layers.layer_scale import LayerScale as LayerScale
from kbuild.model.layers.maxout import Maxout as Maxout
from kbuild.model.layers.position_embedding import PositionEmbedding as PositionEmbedding
from kbuild.model.layers.sampling import Sampling as Sampling
from kbuild.model.layers.scheduled_dropout import ScheduledDropout as ScheduledDropout
from kbuild.model.layers.sine_position_encoding import SinePositionEncoding as SinePositionEncoding
from kbuild.model.layers.stochastic_depth import StochasticDepth as StochasticDepth
