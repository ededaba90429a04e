"""kbuild's own optimizers: what the field names and Keras lacks. Registered with Keras under `kbuild>`."""

from kbuild.model.optimizers.adabound import AdaBound as AdaBound
from kbuild.model.optimizers.lookahead import Lookahead as Lookahead
from kbuild.model.optimizers.radam import RAdam as RAdam
