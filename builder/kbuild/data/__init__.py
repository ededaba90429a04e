"""Data: what a source holds, and its examples, in memory or read as they are asked for, split, ordered and encoded.

`header.py` and `dataset.py` are the two values; `peek.py` and `load.py` make them, and `describe.py` tells of them.
One file for each kind of source fills a `Loaded` (`loaded.py`): `named.py` and `sets.py`, `npz.py` (over `arrays.py`),
`table.py` (over `rows.py`), `images.py`, `texts.py` (both of them over `folders.py`), `python.py`. `memory.py` says
what fits into memory; the rest is `lazy.py`, whose rows lie in a file (`stored.py`) or in one that is made of it once
(`unpacked.py`, `cells.py`, `encoded.py`), and `survey.py` reads it through. `labels.py` tells the task of a target, and
`weights.py` what its classes weigh; `split.py` and `order.py` decide which example goes where and when, `parts.py` how
many, and `bootstrap.py` draws some several times; `seen.py` looks at values; `columns.py` and `tokens.py` learn how
text becomes numbers, and `encode.py` applies that, also to new rows. `guess/` finds out what a file or folder holds
before there is a spec. `fail.py` makes the
problems. Nothing here imports Keras, but the one function in `sets.py` that asks `keras.datasets` for its files.
"""
