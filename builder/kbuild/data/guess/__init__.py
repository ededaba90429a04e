"""A word of the command line → which data it means: the source as a spec writes it, and what is known of it.

guess.py    Guess, and `guess`: a name, a file or a folder
arrays.py   which arrays of an npz file are what
columns.py  which column of a table is predicted, and which cannot be used
parts.py    which folders are parts, and whether they hold pictures or texts
"""

from kbuild.data.guess.guess import Guess as Guess
from kbuild.data.guess.guess import guess as guess
