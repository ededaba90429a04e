"""Call and shapes → what it costs: parameters, operations, memory. One pure function for a layer family.

cost.py   Cost, Costs: the values
table.py  `cost_of` looks a rule up by class name; a layer without a rule has an unknown cost, never a guessed one
costs.py  Plan → Costs
"""

from kbuild.plan.cost.cost import Cost as Cost
from kbuild.plan.cost.cost import Costs as Costs
from kbuild.plan.cost.costs import costs as costs
from kbuild.plan.cost.table import cost_of as cost_of
