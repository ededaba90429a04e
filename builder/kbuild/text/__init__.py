"""Characters and positions. Nothing here knows what a spec means.

source.py       Source, Span: a text and a stretch of it
problem.py      Problem, SpecError: a user's mistake
node.py         Node: a tree of values that know where they stand
lines.py        the lines of a text, offsets → Span
read.py         text → Node, YAML and JSON, within limits; the codes K001 to K016
event.py        Event: what YAML and JSON have in common; yaml_events.py and json_events.py make them
yaml_syntax.py  a syntax error in the user's words
tree.py         Events → Node
scalar.py       the scalars of YAML 1.2
write.py        Node → canonical YAML
quote.py        one value → a YAML scalar
render.py       Problem → text for people, JSON, GitHub annotations
snippet.py      Span → a source line with carets
"""
