"""The Pareto front is what its definition says."""

from hypothesis import given
from hypothesis import strategies as st

from kbuild.search.front import front
from kbuild.search.study import Trial

POINTS = st.lists(st.tuples(st.one_of(st.none(), st.integers(1, 9)), st.integers(0, 9)), max_size=12)


@given(POINTS, st.sampled_from(["min", "max"]))
def test_none_in_it_is_dominated_and_all_others_are(points, direction):
    trials = [Trial(n, "done", {}, float(score), params=params) for n, (params, score) in enumerate(points, 1)]
    sign = 1 if direction == "min" else -1

    def dominates(one, other):
        mine, theirs = (one.params, sign * one.score, one.number), (other.params, sign * other.score, other.number)
        return (
            mine[0] <= theirs[0]
            and mine[1] <= theirs[1]
            and mine != theirs
            and (mine[:2] != theirs[:2] or mine < theirs)
        )

    known = [trial for trial in trials if trial.params is not None]
    free = [trial for trial in known if not any(dominates(other, trial) for other in known)]
    assert list(front(trials, direction)) == sorted(free, key=lambda trial: trial.params or 0)
