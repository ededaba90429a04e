"""Compared → tables on standard output: runs side by side, the trials of a study, its holes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kbuild.search.compare import Compared as StudyCompared
    from kbuild.search.study import Trial
    from kbuild.train.compare import Compared, Row

ROWS, COLUMNS = 10, 5
"""Trials in the table, and runs that stand side by side in columns."""
WIDTH = 84
"""Characters for values that stand side by side, all together; each has at least 14."""


def runs(found: "Compared") -> None:
    """The runs, their metrics, and what differs in their specs."""
    from kbuild.cli.output import say, show_table

    rows = [
        [
            _named(row), row.status, _count(row.params), _flops(row.flops), _epochs(row.epochs),
            "-" if row.best_epoch is None else str(row.best_epoch), f"{row.seconds:.1f}",
        ]
        for row in found.rows
    ]  # fmt: skip
    columns = ["run", "status", "parameters", "FLOPs", "epochs", "best epoch", "seconds"]
    show_table(columns, rows, right=columns[2:])
    names = found.names
    if names:
        say()
        columns = ["run", *names]
        rows = [
            [row.label, *(_marked(row, name, at in found.best[name]) for name in names)]
            for at, row in enumerate(found.rows)
        ]
        show_table(columns, rows, right=names)
        said = "*: the best; metrics are those of the best epoch"
        sets = any(row.size > 1 for row in found.rows)
        say(said + ("; of several: mean ± sample standard deviation" if sets else ""))
    for row in found.rows:
        if row.why:
            say(f"\n{row.label}: what differs is not told: {row.why}")
    _show_settings(found)


def _show_settings(found: "Compared") -> None:
    from kbuild.cli.output import say, show_table

    known = [row for row in found.rows if row.why is None]
    if len(known) < 2:
        return
    say()
    if not found.settings:
        say("no difference between their specs")
        return
    if len(known) <= COLUMNS:
        where = [at for at, row in enumerate(found.rows) if row.why is None]
        rows = [[one.path, *(_cut(one.values[at] or "-", len(where)) for at in where)] for one in found.settings]
        show_table(["what differs", *(row.label for row in known)], rows)
        return
    rows = []
    for one in found.settings:
        groups: dict[str, list[str]] = {}
        for row, value in zip(found.rows, one.values, strict=True):
            if value is not None:
                groups.setdefault(value, []).append(row.label)
        rows += [
            ["" if at else one.path, _cut(value, 2), ", ".join(who)] for at, (value, who) in enumerate(groups.items())
        ]
    show_table(["what differs", "value", "runs"], rows)


def study(found: "StudyCompared", quiet: bool) -> None:
    """The trials, the best first, then the holes."""
    from kbuild.cli.output import say, show_table

    searched, ranked = found.study, found.study.ranked
    failed = sum(trial.status == "failed" for trial in searched.trials)
    running = sum(trial.status == "running" for trial in searched.trials)
    dropped = len(searched.trials) - len(searched.counted)
    counts = [f"{len(ranked)} trials done"]
    counts += [f"{n} {word}" for n, word in ((failed, "failed"), (running, "not over"), (dropped, "dropped")) if n]
    name, wanted = searched.path.resolve().name, f"{searched.direction}imum of {searched.objective}"
    say(f"{name}: {searched.status}, {', '.join(counts)}; {wanted}")
    say()
    front = {trial.number for trial in found.front}
    shown = [*ranked[:ROWS], *(trial for trial in ranked[ROWS:] if trial.number in front)]
    spread, tests = any(trial.sd is not None for trial in shown), dict.fromkeys(n for t in shown for n in t.test)
    columns = ["rank", "trial", searched.objective, *(["± sd"] * spread), *(f"test_{name}" for name in tests)]
    columns += ["parameters", "FLOPs", "epochs", "seconds", "front"]
    show_table(columns, [_trial(found, trial, spread, list(tests), front) for trial in shown], right=columns[:-1])
    if len(shown) < len(ranked):
        say(f"… {len(ranked) - len(shown)} more")
    say("front: no trial with as few parameters or fewer is better")
    if not quiet:
        _reasons(searched.trials)
    say()
    _show_holes(found)


def _trial(found: "StudyCompared", trial: "Trial", spread: bool, tests: Sequence[str], front: set[int]) -> list[str]:
    from kbuild.cli.output import number

    def told(value: object) -> str:
        return "-" if value is None else number(value)

    return [
        str(found.study.ranked.index(trial) + 1), str(trial.number), told(trial.score),
        *([told(trial.sd)] * spread), *(told(trial.test.get(name)) for name in tests),
        _count(trial.params), _flops(trial.flops), str(trial.epochs), f"{trial.seconds:.1f}",
        "yes" if trial.number in front else "",
    ]  # fmt: skip


def _reasons(trials: "Sequence[Trial]") -> None:
    from kbuild.cli.output import say
    from kbuild.text.snippet import harmless

    counts: dict[str, list[int]] = {}
    for trial in trials:
        if trial.status == "failed":
            counts.setdefault(harmless(trial.reason or "it does not say why"), []).append(trial.number)
    for reason, numbers in sorted(counts.items(), key=lambda item: -len(item[1]))[:5]:
        which = ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")
        say(f"failed (trial{'s' if len(numbers) > 1 else ''} {which}): {reason}")


def _show_holes(found: "StudyCompared") -> None:
    """What each hole matters, and what it was in the best trials."""
    from kbuild.cli.output import say, show_table
    from kbuild.search.axes import text
    from kbuild.text.snippet import harmless

    weights = {weight.path: weight for weight in found.importance.weights}
    ordered = sorted(found.axes, key=lambda axis: -weights[axis.path].share if axis.path in weights else 1.0)
    best = found.study.ranked[: COLUMNS - 1]
    rows = []
    for axis in ordered:
        weight = weights.get(axis.path)
        told = [] if not weights else ["never varied"] if weight is None else [_share(weight.share, weight.sd)]
        values = [text(trial.values[axis.path]) if axis.path in trial.values else "·" for trial in best]
        rows.append([harmless(axis.path), *told, *values])
    heads = [f"trial {trial.number}" for trial in best]
    show_table(["hole", *(["importance"] * bool(weights)), *heads], rows, right=["importance"])
    if any("·" in row for row in rows):
        say("·: not there in this trial")
    importance = found.importance
    if importance.why is not None:
        say(f"importance is not told: {importance.why}")
    else:
        trust = "little" if (importance.r2 or 0.0) < 0.3 else "some" if (importance.r2 or 0.0) < 0.7 else "much"
        say(
            f"importance: the error that a random forest adds when the values of a hole are exchanged (1: the variance "
            f"of the rank; ± sd); it knows {trust} of the score: R² {importance.r2:.2f} on trials that it did not see"
        )


def _share(share: float, sd: float) -> str:
    return "0" if share < 0.005 else f"{share:.2f} ± {sd:.2f}"


def _named(row: "Row") -> str:
    return row.label if row.size == 1 else f"{row.label} ({row.size} {row.kind})"


def _marked(row: "Row", name: str, best: bool) -> str:
    from kbuild.cli.output import mean_and_sd
    from kbuild.train.compare import number

    return ("*" if best else "") + mean_and_sd(*number(row, name))


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _epochs(number: float) -> str:
    return f"{number:.0f}" if number == round(number) else f"{number:.1f}"


def _flops(number: int | None) -> str:
    """Three digits and a letter."""
    from kbuild.plan.diff.page import short

    return "-" if number is None else short(number)


def _cut(value: str, columns: int) -> str:
    from kbuild.text.snippet import harmless

    value, most = harmless(value), max(WIDTH // columns, 14)
    return value if len(value) <= most else value[: most - 1] + "…"
