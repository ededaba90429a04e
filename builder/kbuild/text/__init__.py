"""Characters and positions. Nothing here knows what a spec means.

source.py   Source, Span: a text and a stretch of it
problem.py  Problem, SpecError: a user's mistake
node.py     Node: a tree of values that know where they stand
scalar.py   the scalars of YAML 1.2
read.py     text → Node, YAML and JSON, within limits
write.py    Node → canonical YAML
render.py   Problem → text for people, JSON, GitHub annotations
"""
