"""Two specs as architectures → what is different in what they mean; how either is written plays no part.

difference.py  Diff, Layers, Change: the values
meaning.py     values of a spec in one way of writing, so that equal means the same
align.py       (Plan, Plan) → which step of one is which of the other
network.py     the aligned steps → what is different about each
fold.py        what is different, copies and blocks as one
sections.py    inputs, outputs, data, train, tune → Changes by dotted path
compare.py     (Checked, Checked) → Diff
page.py        Diff → lines and tables for people
json.py        Diff → JSON values
"""

from kbuild.plan.diff.compare import diff as diff
from kbuild.plan.diff.difference import Change as Change
from kbuild.plan.diff.difference import Diff as Diff
from kbuild.plan.diff.difference import Layers as Layers
