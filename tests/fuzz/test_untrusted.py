"""Specs that would run code, read what is not theirs or call out, in every shape that was used against such formats:
refused, and nothing outside is touched while they are checked.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CODE = "4wEAAAAAAAAAAAAAAAABAAAAQwAAAHMEAAAAZAFTACkCTukAAAAA"
MARSHAL = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
SYSTEM = {"module": "os", "class_name": "system", "config": {"command": "touch canary"}, "registered_name": "system"}
DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}, "registered_name": None}

LAYERS = {
    "a lambda of bytecode": {"Lambda": {"function": MARSHAL}},
    "a lambda by a dotted path": {"Lambda": "os.system"},
    "a lambda inside a wrapper": {"TimeDistributed": {"layer": {"Lambda": {"function": MARSHAL}}}},
    "a lambda as a cell": {"RNN": {"cell": [{"Lambda": {"function": "x"}}]}},
    "a lambda as an activation": {"Dense": {"units": 3, "activation": {"Lambda": {"function": "x"}}}},
    "a lambda as an initializer": {"Dense": {"units": 3, "kernel_initializer": {"Lambda": {"function": "x"}}}},
    "a saved model": {"TFSMLayer": {"filepath": "../outside/secret.txt"}},
    "a torch module": {"TorchModuleWrapper": {"module": "os"}},
    "a JAX function": {"JaxLayer": {"call_fn": "os.system"}},
    "a Flax module": {"FlaxLayer": {"module": "os"}},
    "a Keras config as an entry": {"class_name": "Lambda", "config": {"function": MARSHAL}},
    "a config with a module": SYSTEM,
    "a harmless config with a module": DENSE,
    "a config as an argument": {"Dense": {"units": 3, "kernel_initializer": SYSTEM}},
    "a config as a layer": {"TimeDistributed": {"layer": DENSE}},
    "a marshalled activation": {"Dense": {"units": 3, "activation": MARSHAL}},
    "a function as an activation": {"Dense": {"units": 3, "activation": {"class_name": "function", "config": "os.system"}}},
    "a dotted activation": {"Dense": {"units": 3, "activation": "os.system"}},
    "a registered name": {"Dense": {"units": 3, "activation": "custom>evil"}},
    "a target": {"_target_": "os.system", "command": "touch canary"},
    "a target as an argument": {"Dense": {"units": 3, "kernel_initializer": {"_target_": "os.system"}}},
    "a dotted call": {"os.system": "touch canary"},
    "a dotted Keras call": {"keras.src.layers.Dense": 3},
    "a builtin": {"builtins.eval": "1"},
    "a dunder": {"__lambda__": CODE},
    "an operation that takes a function": {"ops.map": "os.system"},
    "an operation that is none": {"ops.__import__": "os"},
    "an operation by a path": {"ops.numpy.add": 1},
    "a vocabulary by path": {"StringLookup": {"vocabulary": "../outside/secret.txt"}},
    "an absolute vocabulary": {"IntegerLookup": {"vocabulary": "/etc/hostname"}},
    "a vocabulary from a bucket": {"TextVectorization": {"vocabulary": "gs://bucket/words.txt"}},
    "weights by path": {"ResNet50": {"include_top": False, "weights": "../outside/secret.txt"}},
    "weights from a hub": {"ResNet50": {"include_top": False, "weights": "hf://user/model"}},
    "weights from the network": {"ResNet50": {"include_top": False, "weights": "https://host/x.h5"}},
    "an expression that imports": {"Dense": "${__import__('os').system('touch canary')}"},
    "an expression with attributes": {"Dense": "${().__class__.__bases__[0].__subclasses__()}"},
    "an expression that calls": {"Dense": "${open('canary', 'w')}"},
    "an expression with a function": {"Dense": "${(lambda: 1)()}"},
    "an expression with a comprehension": {"Dense": "${[x for x in [1]]}"},
    "an expression without end": {"Dense": "${9 ** 9 ** 9 ** 9}"},
    "an expression that grows": {"Dense": "${[1] * 10 ** 9}"},
    "an expression that nests": {"Dense": "${" + "(" * 240 + "1" + ")" * 240 + "}"},
    "an expression that negates": {"Dense": "${" + "-" * 491 + "1}"},
    "an expression that chooses": {"Dense": "${" + "1 if 1 else " * 40 + "1}"},
}  # fmt: skip
PATHS = {
    "above": "../outside/secret.txt", "absolute": "/etc/hostname", "through a link": "link/secret.txt", "a linked file": "linked.txt",
    "file": "file:///etc/hostname", "http": "http://host/x", "bucket": "gs://bucket/x", "hub": "hf://user/x", "s3": "s3://bucket/x",
    "home": "~/x", "drive": "C:\\x", "share": "\\\\server\\share", "NUL": "x\0.yaml", "long": "x" * 5000, "process": "/proc/self/environ",
    "standard input": "/dev/stdin", "up and down": "sub/../../outside/secret.txt",
}  # fmt: skip
TRAIN = {
    "a callback that runs code": {"callbacks": [{"LambdaCallback": {"on_epoch_end": "os.system"}}]},
    "a callback that writes": {"callbacks": [{"CSVLogger": {"filename": "/tmp/x.csv"}}]},
    "a callback that calls out": {"callbacks": [{"RemoteMonitor": {"root": "http://host"}}]},
    "a callback that saves": {"callbacks": [{"ModelCheckpoint": {"filepath": "/tmp/x.keras"}}]},
    "a loss by config": {"loss": SYSTEM},
    "a loss by a dotted path": {"loss": "os.system"},
    "a metric of a function": {"metrics": [{"MeanMetricWrapper": {"fn": "os.system"}}]},
    "a metric by config": {"metrics": [{"class_name": "Mean", "config": {}}]},
    "an optimizer by config": {"optimizer": {"class_name": "Adam", "config": {}}},
    "a schedule by config": {"optimizer": {"Adam": {"learning_rate": {"class_name": "__lambda__", "config": {"code": CODE}}}}},
}  # fmt: skip
SECTIONS = {
    "code of its own": {"use": ["evil.py"]},
    "data from a function": {"data": {"source": {"python": "os:system"}}},
    "weights of another": {"weights": "../outside/secret.txt"},
    "a name with a path": {"name": "../x"},
    "a name with a line break": {"name": "a\nb"},
    "a shipped spec above": {"extends": "kbuild:../../setup.py"},
    "itself": {"extends": "itself.yaml"},
    "a folder": {"extends": "sub"},
    "a wide family": {"extends": ["wide0.yaml"] * 10},
    "a deep family": {"extends": "deep0.yaml"},
    "no vocabulary": {"data": {"source": "iris", "preprocess": [{"StringLookup": {"vocabulary": "/etc/hostname"}}]}},
}  # fmt: skip
SOURCES = ("npz", "csv", "images", "text", "parquet")


def specs() -> dict[str, dict[str, object]]:
    inputs = {"inputs": {"x": {"shape": [4, 3]}}}
    found: dict[str, dict[str, object]] = {}
    for name, layer in LAYERS.items():
        found[f"layer: {name}"] = {"kbuild": 1, "model": {**inputs, "layers": [layer]}}
    for name, train in TRAIN.items():
        found[f"train: {name}"] = {"kbuild": 1, "model": {**inputs, "layers": [{"Dense": 1}]}, "train": train}
    for name, section in SECTIONS.items():
        found[f"section: {name}"] = {"kbuild": 1, "model": [{"Dense": 1}], **section}
    for name, path in PATHS.items():
        found[f"extends: {name}"] = {"kbuild": 1, "model": [{"Dense": 1}], "extends": path}
        for kind in SOURCES:
            found[f"{kind}: {name}"] = {"kbuild": 1, "model": [{"Dense": 1}], "data": {"source": {kind: path}}}
        part = {"csv": "own.csv", "test": path}
        found[f"test part: {name}"] = {"kbuild": 1, "model": [{"Dense": 1}], "data": {"source": part}}
    return found


SPECS = specs()


@pytest.fixture(scope="module")
def checked(tmp_path_factory) -> dict[str, dict[str, object]]:
    """What the child said of every spec, and of one that is fine."""
    top = tmp_path_factory.mktemp("untrusted")
    home, outside = top / "home", top / "outside"
    outside.mkdir()
    (home / "sub").mkdir(parents=True)
    secret = outside / "secret.txt"
    secret.write_text("kbuild: 1\nmodel: [{Dense: 1}]\n")
    (home / "link").symlink_to(outside)
    (home / "linked.txt").symlink_to(secret)
    (home / "own.csv").write_text("a,b\n1,2\n3,4\n")
    (home / "evil.py").write_text("open('canary', 'w')\n")
    (home / "itself.yaml").write_text("kbuild: 1\nextends: itself.yaml\n")
    for level in range(20):
        family = f"extends: [{', '.join([f'wide{level + 1}.yaml'] * 10)}]\n" if level < 6 else ""
        (home / f"wide{level}.yaml").write_text(f"kbuild: 1\n{family}")
        (home / f"deep{level}.yaml").write_text(f"kbuild: 1\nextends: deep{level + 1}.yaml\n")
    fine = {
        "kbuild": 1,
        "model": {"inputs": {"x": {"shape": [4]}}, "layers": [{"Dense": 3}]},
        "data": {"source": "iris"},
    }
    paths = {}
    for index, (name, tree) in enumerate({"fine": fine, **SPECS}.items()):
        paths[name] = home / f"s{index}.json"
        paths[name].write_text(json.dumps(tree))
    environment = {"PYTHONPATH": str(HERE.parents[1] / "builder"), "PATH": "", "HOME": str(top / "user")}
    command = [sys.executable, str(HERE / "child.py"), *map(str, paths.values())]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert not (home / "canary").exists()
    assert secret.read_text() == "kbuild: 1\nmodel: [{Dense: 1}]\n"
    said = {found["spec"]: found for found in map(json.loads, done.stdout.splitlines())}
    return {name: said[str(path)] for name, path in paths.items()}


def test_a_spec_that_is_fine_is_taken_and_touches_nothing_else(checked):
    assert (checked["fine"]["codes"], checked["fine"]["touched"]) == ([], [])


@pytest.mark.parametrize("name", SPECS)
def test_it_is_refused_and_touches_nothing(checked, name):
    assert checked[name]["codes"], "nothing is wrong with it"
    assert checked[name]["touched"] == []


def test_what_runs_code_or_leads_out_is_refused_for_that(checked):
    """Not by some other mistake in it."""
    codes = {name: set(found["codes"]) for name, found in checked.items()}
    assert all(
        "K112" in codes[name] for name in codes if name.partition(":")[0] in {"extends", "npz", "csv", "images", "text"}
    )
    refused = [
        name for name in codes if "lambda" in name or "config" in name or "vocabulary" in name or "weights" in name
    ]
    assert {
        name for name in refused if not codes[name] & {"K101", "K102", "K105", "K106", "K107", "K110", "K112"}
    } == set()


def test_the_hook_sees_what_is_touched(tmp_path):
    """Else the tests above would show nothing."""
    (tmp_path / "s.yaml").write_text("kbuild: 1\nmodel: {inputs: {x: {shape: [4]}}, layers: [{Dense: 1}]}\n")
    code = """
import child, os, socket, sys, types
def bad(spec):
    open("/etc/hostname").close()
    open("made", "w").close()
    socket.socket().close()
    os.system("true")
    return types.SimpleNamespace(problems=())
child.check = bad
child.main(sys.argv[1:])
"""
    environment = {
        "PYTHONPATH": f"{HERE.parents[1] / 'builder'}:{HERE}",
        "PATH": "/bin:/usr/bin",
        "HOME": str(tmp_path / "user"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.yaml")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    touched = " ".join(json.loads(done.stdout.splitlines()[0])["touched"])
    assert all(word in touched for word in ("/etc/hostname", "made w", "socket", "os.system"))
