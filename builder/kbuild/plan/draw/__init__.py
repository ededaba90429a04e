"""Plan → what a person looks at: a table, Mermaid, a drawing, a page in a notebook. Nothing is asked of Keras.

words.py    numbers, shapes and calls, in few characters
tree.py     Plan → the tree of its groups: blocks, repeats, branches
wires.py    which tensors go into a group and come out of it, and what they are called there
fold.py     which groups are open
rows.py     Plan, costs → rows: a layer or a group each
table.py    rows → aligned text
totals.py   the lines below the table
space.py    the space of a search → lines
scene.py    Plan, what is open → boxes, frames and edges: what is to be drawn, without a place for it
mermaid.py  Scene → Mermaid
cut.py      edges in pieces, cut where they go through a frame and at every row
ranks.py    which box stands above which
order.py    which box stands left of which
columns.py  how far right each stands
route.py    rows and columns → places, and the wires between them
layout.py   Scene → Layout: everything with its place, a frame at a time
places.py   Layout, and what is in it
sizes.py    how wide a text is
svg.py      Layout → SVG
colours.py  the colour of a family of layers
page.py     Plan → HTML for a notebook
"""
