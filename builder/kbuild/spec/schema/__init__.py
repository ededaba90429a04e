"""The format as JSON Schema (draft 2020-12), for editors: what is installed → one document. Left of the Keras line.

document.py   the whole: top level, sections, `extends`
values.py     variables, holes, data: what may stand wherever a value may
arguments.py  what one argument of a call takes
calls.py      calls by namespace
entries.py    chains and their entries
siblings.py   the keys beside a call
model.py      the `model` section
blocks.py     the `blocks` section, and the library's blocks as calls
sections.py   the pydantic models of the fixed sections → schemas that admit variables and holes
data.py       the `data` section
train.py      the `train` and `tune` sections

Only keywords that draft-07 has too are used (beside `$defs`), since editors differ; `if` rather than `anyOf`, so that a
mistake is shown at the key that is wrong.
"""

from kbuild.spec.schema.document import schema as schema
from kbuild.spec.schema.document import text as text

__all__ = ["schema", "text"]
