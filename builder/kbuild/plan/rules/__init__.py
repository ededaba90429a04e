"""A linter for networks: a rule a file, whose docstring is its documentation page (`kbuild rules CODE`).

net.py     Net: what a rule looks at
rule.py    what a rule module has, and where its problems stand
lint.py    runs every rule, drops what the spec says to ignore
run.py     how many examples, steps and epochs a run has
kinds.py   what a step is to a rule: its family, its activation, how wide it is
ignore.py  `# kbuild: ignore K310`
page.py    a rule's docstring as its page
Every other file is a rule.
"""

from kbuild.plan.rules.lint import lint as lint
from kbuild.plan.rules.lint import rules as rules
from kbuild.plan.rules.net import Net as Net
