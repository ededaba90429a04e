"""Call and shapes → what it costs: parameters, operations, memory. One pure function for a layer family.

`cost` Cost and Costs, the values, and what is counted · `table` `cost_of` looks a rule up by class name; a layer
without a rule has an unknown cost, never a guessed one · `costs` Plan → Costs · `use` what a rule works on · one file
per family: `dense`, `einsum_dense`, `convolution`, `pooling`, `normalization`, `activation`, `keep`, `merge`,
`arrange`, `attention`, `recurrent`, `wrapper`, `preprocessing`, `own`, `ops` · `remat` what is kept of entries
that are computed again.
"""

from kbuild.plan.cost.cost import Cost as Cost
from kbuild.plan.cost.cost import Costs as Costs
from kbuild.plan.cost.costs import costs as costs
from kbuild.plan.cost.table import cost_of as cost_of
