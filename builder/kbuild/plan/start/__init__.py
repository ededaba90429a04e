"""Data → a spec to start from, by published rules of thumb.

thumb.py    the rules: widths, stages, rates, sizes of batches
form.py     what kind of examples there are, and what is done to them before the network
network.py  the layers for them
lines.py    lines of a spec with the reason beside each
start.py    Guess → text of a spec
"""

from kbuild.plan.start.start import Options as Options
from kbuild.plan.start.start import start as start
