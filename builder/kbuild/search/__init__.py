"""Search: KerasTuner's oracles decide, kbuild trains, and the best network is a spec again.

choices.py   what an oracle proposes → the spec of one trial
oracle.py    KerasTuner's oracles, asked and told
trials.py    one network of the space, looked at before it is trained
task.py      Task → Outcome: one trial, trained
workers.py   Tasks → Outcomes: processes that train many trials each
ledger.py    what happened ↔ `ledger.jsonl`, the only truth of a study
drive.py     the driver: asks, trains, tells
study.py     a study's directory → Study, Trial
answer.py    Study → `best.yaml`, `top/`, `trials.csv`
refit.py     the best once more, on all the data
seeing.py    what a person sees while it runs
tune.py      Spec → Study, and a study that was stopped → the same, gone on with
"""
