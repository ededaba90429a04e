"""Search: KerasTuner's oracles decide, kbuild trains, and the best network is a spec again.

choices.py   what an oracle proposes → the spec of one trial
oracle.py    KerasTuner's oracles, asked and told; condition.py is what they lack
trials.py    one network of the space, looked at before it is trained
task.py      Task → Outcome: one trial, trained
executor.py  what trains the trials: one Protocol for this machine and for a cluster
preload.py   Keras, loaded before workers are forked
workers.py   Tasks → Outcomes: processes that train many trials each
connect.py   an address → a Ray cluster
cluster.py   Tasks → Outcomes on a Ray cluster
trainer.py   what lives on a node of it
parcel.py    a run directory ↔ bytes, where no disk is shared
ledger.py    what happened ↔ `ledger.jsonl`, the only truth of a study
drive.py     the driver: asks, trains, tells
study.py     a study's directory → Study, Trial
answer.py    Study → `best.yaml`, `top/`, `trials.csv`; board.py tells TensorBoard of its holes
axes.py      the holes as lines on which values have a place; what `run.json` keeps of them
importance.py  what each hole matters
front.py     the trials that are worth their size
pictures.py  all that as pictures
compare.py   Study → its trials side by side
refit.py     the best once more, on all the data
seeing.py    what a person sees while it runs; live.py is the table at the foot of a terminal
tune.py      Spec → Study, and a study that was stopped → the same, gone on with
"""
