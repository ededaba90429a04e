"""Data: what a source holds (`peek`, `describe`), and its examples in memory (`load`), split, ordered and encoded.

`header.py` and `dataset.py` are the two values; `peek.py` and `load.py` make them. One file for each kind of source:
`named.py` and `sets.py`, `npz.py`, `table.py`, `images.py`, `texts.py`, `python.py`; each fills a `Loaded`
(`loaded.py`). `labels.py` tells the task of a target, `split.py` and `order.py` decide which example goes where and
when, `columns.py` learns how rows of text become numbers and `encode.py` applies that, also to new rows. Nothing here
imports Keras, but the one function that asks `keras.datasets` for its files.
"""
