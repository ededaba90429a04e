"""The command line: a file for each group of verbs. Whatever a verb needs is imported when it runs.

main.py      the app, its verbs, how a mistake ends the command
options.py   the options that verbs share
output.py    tables and JSON on standard output, problems on standard error
check.py     check
show.py      show
data.py      data
diff.py      diff
shipped.py   ls, cp
new.py       new
layers.py    layers
schema.py    schema
rules.py     rules
fit.py       fit
lr.py        lr; chart.py draws a curve in a terminal
tune.py      tune
run.py       evaluate, predict
compare.py   compare; compare_tables.py are its tables
ensemble.py  ensemble
export.py    export
board.py     board
"""
