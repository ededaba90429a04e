"""Training: a model and its data become a run directory, and a run directory becomes scores.

atomic.py       files that are written whole or not at all
rundir.py       the run directory: make one, describe it, open it
checkpoint.py   arrays and values ↔ a folder that is there whole or not at all
history.py      history.csv, one row an epoch
run.py          Run: what a training leaves, read back
schedule.py     the learning rate as a function of the step
monitors.py     which numbers an epoch yields, and whether bigger is better
weights.py      class weights, folded into the weights of examples
augment.py      what is done to training examples before the model
feed.py         batches in an order that is a pure function of (seed, epoch)
stream.py       batches of data that are not in memory, read ahead
execution.py    seed, determinism, device, how the step is run: execution_rule.py chooses, execution_trial.py measures,
                execution_loop.py has XLA compile the loop over steps
distribute.py   one batch on several devices or processes; distribute_mirrored.py checks TensorFlow's way of it
compile.py      optimizer, losses and metrics put on a model
callbacks.py    what happens at the end of an epoch; patience.py waits for a number to get better
guard.py        a signal, or a number that is none any more, ends training; diagnosis.py says why and what to change
shortage.py     memory that is not there
signals.py      a signal ends the run after the step that is under way
events.py       TensorBoard event files, written without TensorFlow
tensorboard.py  what kbuild puts into them; trial.py says which trial of a search it is
progress.py     what a person sees while it runs
figures.py      curves, confusion matrix, worst mistakes and range tests as pictures
metrics.py      what predictions are worth: per class, confusion, errors
outputs.py      what a model predicts of a part of the data
score.py        Run → report: evaluation of a part of the data
predict.py      Run and new examples → class names and probabilities; examples.py reads them
job.py          a compiled model and its feeds, checked down to the first batch
loop.py         Keras's fit, phase by phase, from the beginning or from a checkpoint; stage.py is one phase of it,
                phase.py makes the model ready for one; saver.py takes checkpoints, state.py is what is in them
session.py      Job → Run: the training, and what it leaves on the disk
lock.py         one process in a run directory at a time
resume.py       a run directory → the same run, gone on with; longer.py makes it longer
gradients.py    loss, gradients and inner tensors of a model for a batch
probing.py      a look into the network: gradients, dead and saturated units by layer; health.py takes it now and then
findings.py     what is wrong with a training, each in a sentence
witness.py      what the first steps of a run changed; verify.py does them again
fit.py          Spec → Run
members.py      Spec → the runs that it asks for: repeats, folds
several.py      a set of runs: trains its members one after another; runset.py is the set, read back
ensemble.py     several runs as one: ensemble_members.py holds them against each other, ensemble_parts.py their data;
                ensemble_model.py joins them; ensemble_stack.py weighs them, by what ensemble_told.py has them say
export.py       a run's model in another format, as Python by script.py; reloaded.py loads it in a process of its own
compare.py      runs side by side, and what differs in their specs
lr.py           Spec → RangeTest; steer.py says where a rate stands in a spec, sweep.py trains, rates.py reads the curve
"""
