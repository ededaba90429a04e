"""Meaning: what a spec says, before anything is expanded. Left of the Keras line.

load.py       file or text → Spec: read, resolve, parse; first.py what a lone value counts as
resolve.py    `extends`, `--set` and overrides → one tree; merge.py lays one tree over another
parse.py      tree → Spec; model_section.py, entry.py, block.py, data_section.py, train_section.py, tune_section.py its
              parts; validate.py what pydantic finds, unused.py what nothing uses
phases.py     the parts of a training, each a train section itself; together.py keys that cannot stand together
spec.py       Spec; call.py Call; data.py, train.py the checked sections; section.py what they share
scope.py      variables, expression.py arithmetic, hole.py choices; all give way to values.py's
tune.py       what a search is asked for
calls.py      a name and its arguments, held against a signature; kinds.py and argument.py what an argument takes
allow.py      what is refused without --trust
static.py     what shows in a chain where it stands
signature.py  signatures of the installed Keras, read from its source: python_source.py, parameters.py, docstring.py,
              identifiers.py; signature_cache.py keeps them in cache.py's files
schema/       the whole format as JSON Schema, for editors
fill.py       Spec → the tree that a run keeps
weights.py    the file or run that weights are taken from
names.py      words and suggestions; paths.py where files may lie; shipped.py the specs that come with kbuild
"""
