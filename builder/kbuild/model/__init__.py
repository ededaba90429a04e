"""The network as Keras knows it. The first room right of the Keras line: whoever imports from here loads Keras.

backend.py   which Keras runs, started quietly
ambient.py   what a machine brings that must not change a run
objects.py   Call → Keras object
use.py       the user's own classes, under `--trust`
build.py     Plan → keras.Model
adapt.py     what its preprocessing learns from the training part
remat.py     entries that the backward pass computes again
start.py      the weights that a model starts from; stored.py reads them of a file
read.py      keras.Model → Plan
python.py    Plan → Python source
thaw.py      a model → the same with other layers that learn
learn.py     an application → what kbuild remembers of it
verify.py    what Keras knows of each step, and where the plan said otherwise
layers/      kbuild's own layers
optimizers/  kbuild's own optimizers
"""
