"""Runs a search on a Ray cluster of two nodes that share no disk with it, and kills one of them in mid-trial.

python clustered.py SPEC OUT; prints which trial was given to which node, as JSON.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from kbuild.search import cluster, connect, tune
from kbuild.search.seeing import Reporter
from kbuild.spec.load import load

os.environ.update(connect.QUIETLY)  # Ray looks at them when it is imported

from ray.cluster_utils import Cluster


def main() -> None:
    spec, out = sys.argv[1:]
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = made.add_node(num_cpus=1)
    given: list[tuple[int, str]] = []
    give, begin = cluster.Actors._give, cluster.Actors._begin

    def killing() -> None:
        time.sleep(1.0)
        made.remove_node(second, allow_graceful=False)

    def giving(self, seat, task, attempt):
        here = "second" if seat.place.node == second.node_id else "first"
        given.append((task.trial, here))
        give(self, seat, task, attempt)
        assert not seat.place.shares
        if here == "second" and sum(where == here for _, where in given) == 2:
            threading.Thread(target=killing).start()

    def beginning(self):
        (self._path / cluster.MARK).unlink(missing_ok=True)  # as if no node could read what the driver writes
        return begin(self)

    cluster.Actors._give, cluster.Actors._begin = giving, beginning
    study = tune.tune(load(spec), out=Path(out), ray=made.address, report=Reporter())
    print(json.dumps({"given": given, "exit": study.exit_code}))
    made.shutdown()


if __name__ == "__main__":
    main()
