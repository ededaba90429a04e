"""Documents to try the reader and the checker with: mutations of all specs and golden documents, and made-up ones.

`python documents.py FIRST COUNT` checks documents number FIRST, FIRST + 1, … in a process whose memory is bounded and
says each that gave anything but a Spec or a SpecError. With the same specs and golden documents, a number always means the same document.
"""

import json
import random
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEMORY = 1 << 30
"""Bytes of address space for one process, beside what it has when it starts."""
SECONDS = 20
"""After which a document counts as hanging, on a machine that may be busy; one takes some hundredths of one."""

NUMBERS = [-1, 0, 1, 2, 3, 7, 0.5, -0.5, 1e-3, 1e308, -(10**6), 10**6 + 1, 10**9, 10**12, 2**63, 10**30]
TEXTS = [
    "", "x", "input", "previous", "relu", "same", "$x", "$i", "$input_shape", "$", "$$", "$$x", "${", "${}", "${i}", "${1 / 0}",
    "${input_shape[-1] // 2}", "${input_shape[9]}", "${[1, 2][5]}", "${10 ** 9 ** 9}", "${max()}", "${len(1)}", "${'a' * 9}",
    "$x -> 3", "784 -> 10", "10 -> -> 3", "-> 3", "1 → 2 → 3", "x-0", "x-*", "stage-*.skip", "a.b", "../x.yaml", "/etc/passwd",
    "kbuild:digits_mlp", "kbuild:nope", "hf://a/b", "a\nb", "\x1b[31m", "é" * 30, "{epoch}", "null", "Dense", "ops.add",
    "ops.", "Input", "Layer", "mlp", "residual", "self_attention", "auto", "balanced", "3 epochs", "10%", "16 GB", "iris", "digits",
]  # fmt: skip
CALLS = [
    "Dense", "Conv2D", "Flatten", "Add", "Concatenate", "LSTM", "Embedding", "MultiHeadAttention", "TimeDistributed",
    "Bidirectional", "RNN", "Reshape", "Permute", "Lambda", "TFSMLayer", "StringLookup", "Normalization", "Rescaling",
    "EinsumDense", "Dot", "Softmax", "UpSampling2D", "Conv2DTranspose", "SpectralNormalization", "ResNet50", "ops.add",
    "ops.einsum", "ops.concatenate", "ops.map", "ops.mean", "Sampling", "Maxout", "PositionEmbedding", "mlp", "bottleneck",
]  # fmt: skip
KEYS = [
    "kbuild", "name", "extends", "vars", "blocks", "data", "model", "train", "tune", "weights", "use", "inputs", "layers",
    "outputs", "from", "call", "repeat", "when", "trainable", "chain", "branches", "merge", "reuse", "params", "shape", "dtype",
    "source", "split", "batch_size", "preprocess", "augment", "classes", "target", "optimizer", "loss", "metrics", "epochs",
    "schedule", "early_stopping", "class_weight", "precision", "callbacks", "budget", "oracle", "objective", "$choice", "$int",
    "$float", "$bool", "default", "step", "sampling", "units", "filters", "kernel_size", "axis", "layer", "cell", "x", "class_name",
    "module", "config", "registered_name", "_target_", "<<",
]  # fmt: skip
PIECES = [
    *"[]{}:,-?&*!|>%@`\"'\\\n\t #$\x00\r\ufeff\x85\u2028", ": ", "- ", "\n  ", "---\n", "...\n", "<<: ", "&a ", "*a", "!!str ",
    "!!python/name:os.system ", "0x1", "\\u", "\\ud800", "$x", "${", "${i}", "1e999", ".nan", "[[[[", "]]]]", "9" * 5000,
]  # fmt: skip


@cache
def seeds() -> tuple[str, ...]:
    """All shipped specs, and the specs of all golden documents."""
    shipped = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "specs").glob("*.yaml"))]
    golden = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests/golden").glob("*.md"))]
    blocks = [match for text in golden for match in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    # what has very many entries takes its time, once a mutation brings it below the bound
    return tuple(text for text in shipped + blocks if not re.search(r"repeat: \d{4}", text))


@cache
def trees() -> tuple[object, ...]:
    """Those that can be read, as plain values."""
    from kbuild.text.node import plain
    from kbuild.text.problem import SpecError
    from kbuild.text.read import read
    from kbuild.text.source import Source

    found = []
    for text in seeds():
        try:
            found.append(plain(read(Source("seed", text))))
        except SpecError:
            continue
    return tuple(found)


def document(number: int) -> str:
    """Document number `number`."""
    rng = random.Random(number)
    kind = number % 6
    if kind == 0:
        return characters(rng, rng.choice(seeds()))
    if kind == 1:
        return json.dumps(made_up(rng), indent=1)
    if kind == 2:
        return json.dumps(plausible(rng), indent=1)
    tree = plausible(rng) if kind == 3 else json.loads(json.dumps(rng.choice(trees())))
    change = altered if kind == 4 else mutated
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        tree = change(rng, tree)
    return json.dumps(tree, indent=1)


def characters(rng: random.Random, text: str) -> str:
    """Pieces put in, taken out, moved."""
    for _ in range(rng.choice([1, 1, 2, 4, 8])):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.choice([0, 0, 1, 2, 5, 40]))
        piece = rng.choice([*PIECES, text[start:stop] * 2, str(rng.choice(NUMBERS)), rng.choice(TEXTS)])
        text = text[:start] + piece + text[stop:]
    return text if "\n" in text else text + "\n"


def mutated(rng: random.Random, tree: object) -> object:
    """One node replaced, left out, doubled, wrapped, given another name, or put where another stands."""
    places = list(walk(tree))
    if not places:
        return value(rng)
    holder, key = rng.choice(places)
    here = holder[key]
    match rng.randrange(8):
        case 0:
            holder[key] = value(rng)
        case 1:
            del holder[key]
        case 2:
            other, place = rng.choice(places)
            holder[key] = json.loads(json.dumps(other[place]))
        case 3:
            source = list(walk(rng.choice(trees()))) or places
            other, place = rng.choice(source)
            holder[key] = json.loads(json.dumps(other[place]))
        case 4:
            holder[key] = [here, *([here] if rng.random() < 0.5 else [])]
        case 5:
            holder[key] = {rng.choice([*KEYS, *CALLS]): here}
        case 6 if isinstance(here, dict):
            here[rng.choice(KEYS)] = value(rng)
        case 7 if isinstance(holder, dict):
            holder[rng.choice([*KEYS, *CALLS, str(key) + "s"])] = holder.pop(key)
        case _:
            holder[key] = rng.choice([rng.choice(NUMBERS), rng.choice(TEXTS), None, True])
    return tree


def altered(rng: random.Random, tree: object) -> object:
    """One value replaced by another of its kind, or an entry doubled, left out, or taken from elsewhere."""
    places = [(holder, key) for holder, key in walk(tree) if isinstance(holder[key], int | float | str | list)]
    if not places:
        return tree
    holder, key = rng.choice(places)
    here = holder[key]
    if isinstance(here, bool):
        holder[key] = not here
    elif isinstance(here, int | float):
        holder[key] = rng.choice([0, 1, 2, 3, 5, 8, 31, 0.1, here + 1, here // 2, here * 3])
    elif isinstance(here, str):
        others = [h[k] for h, k in walk(rng.choice(trees())) if k == key and isinstance(h[k], str)]
        holder[key] = rng.choice([*others, rng.choice(CALLS), rng.choice(TEXTS)])
    elif here:
        place = rng.randrange(len(here))
        others = [h[k] for h, k in walk(rng.choice(trees())) if isinstance(h, list)]
        here[place:place] = rng.choice([[here[place]], [rng.choice(others)] if others else []])
        if rng.random() < 0.5:
            del here[place]
    return tree


def walk(tree: object) -> Iterator[tuple[object, object]]:
    """Every (container, key) of a tree."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, below in list(pairs):
        yield tree, key
        yield from walk(below)


def value(rng: random.Random, depth: int = 0) -> object:
    """Any value: mostly small, sometimes a call or a chain."""
    match rng.randrange(8 if depth < 4 else 4):
        case 0:
            return rng.choice(NUMBERS)
        case 1:
            return rng.choice(TEXTS)
        case 2:
            return rng.choice([None, True, False, [], {}])
        case 3:
            return rng.choice(CALLS)
        case 4:
            return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
        case 5:
            return {rng.choice(KEYS): value(rng, depth + 1) for _ in range(rng.randrange(4))}
        case 6:
            return {rng.choice(CALLS): value(rng, depth + 1)}
    return entry(rng, depth + 1)


def entry(rng: random.Random, depth: int = 0) -> dict[str, object]:
    """An entry of a chain, with keys beside its call."""
    head = rng.choice([*CALLS, "chain", "branches", "reuse", "$x"])
    made: dict[str, object] = {head: value(rng, depth)}
    for key in ("name", "from", "repeat", "when", "outputs", "trainable", "call"):
        if rng.random() < 0.2:
            made[key] = value(rng, depth)
    return made


def made_up(rng: random.Random) -> dict[str, object]:
    """A spec of parts that are all in their places and mostly wrong."""
    made: dict[str, object] = {"kbuild": 1, "vars": {"x": value(rng), "y": "$x"}}
    made["model"] = {
        "inputs": {"x": {"shape": rng.choice([[8], [8, 8, 3], [None, 4], [10], value(rng)])}},
        "layers": [],
    }
    made["model"]["layers"] = [
        rng.choice([entry(rng), entry(rng), {"Dense": 4}, value(rng)]) for _ in range(rng.randrange(6))
    ]
    made["blocks"] = {
        "unit": {"params": {"n": value(rng)}, "layers": [entry(rng), "unit" if rng.random() < 0.1 else "ReLU"]}
    }
    for key in ("data", "train", "tune", "extends", "weights", "use", "name"):
        if rng.random() < 0.25:
            made[key] = (
                {rng.choice(KEYS): value(rng) for _ in range(rng.randrange(4))} if rng.random() < 0.7 else value(rng)
            )
    return made


def plausible(rng: random.Random) -> dict[str, object]:
    """A spec that could be right: known layers with likely arguments, references to what stands above."""
    shape = rng.choice([[8], [12, 4], [16, 16, 3], [6, 8, 8, 2], [None, None, 3], [None, 4]])
    made: dict[str, object] = {"kbuild": 1, "vars": {"width": rng.choice([4, 8]), "act": rng.choice(["relu", "tanh"])}}
    made["blocks"] = {
        "unit": {"params": {"n": rng.choice([2, "$required", None])}, "layers": [{"Dense": "$n"}, {"ReLU": None}]},
        "outer": {"layers": [{"unit": 2, "repeat": 2}, {"Dropout": 0.2}]},
    }
    if rng.random() < 0.7:
        made["model"] = {"inputs": {"x": {"shape": shape}}, "layers": likely(rng, 6, shape)}
    else:
        made["data"] = {"source": rng.choice(["digits", "iris", "diabetes"]), "batch_size": rng.choice([1, 32, 10**7])}
        made["model"] = [*likely(rng, 4, shape), rng.choice(["Flatten", "ReLU"]), {"Dense": rng.choice([1, 3, 10])}]
    if rng.random() < 0.5:
        made["train"] = training(rng)
    return made


def training(rng: random.Random) -> dict[str, object]:
    """Any optimizer with any loss, schedule, callback, precision."""
    from kbuild.spec.signature import identifiers, names
    from kbuild.spec.train import SCHEDULES

    def name(namespace: str) -> str:
        return rng.choice(sorted(names(namespace)))

    parts = {
        "optimizer": rng.choice([name("optimizers"), {name("optimizers"): {"learning_rate": rng.choice([1e-3, 10, {name("schedules"): 0.1}])}},
                                 {"Lookahead": {"optimizer": {name("optimizers"): 1e-3}}}]),
        "loss": rng.choice(["auto", None, name("losses"), rng.choice(sorted(identifiers("losses"))), {"output": name("losses")}]),
        "metrics": [rng.choice([name("metrics"), rng.choice(sorted(identifiers("metrics")))])],
        "schedule": rng.choice([rng.choice([*SCHEDULES]), {rng.choice([*SCHEDULES]): {"warmup": "2 epochs"}}, {name("schedules"): 0.1}]),
        "callbacks": [rng.choice(["TerminateOnNaN", "SwapEMAWeights", {"ReduceLROnPlateau": {"monitor": "val_loss"}}, name("callbacks")])],
        "early_stopping": rng.choice([True, {"monitor": rng.choice(["loss", "val_accuracy", "acc"])}]),
        "precision": rng.choice(["float32", "mixed_float16", "mixed_bfloat16"]),
        "class_weight": rng.choice(["balanced", {"0": 2.0}]),
        "execution": rng.choice(["auto", {"steps_per_execution": 8, "jit": True}]),
        "budget": rng.choice([{"params": rng.choice([10, 1e9])}, {"memory": rng.choice(["1 kB", "16 GiB"])}]),
        "epochs": rng.choice([1, 30]),
    }  # fmt: skip
    return {key: value for key, value in parts.items() if rng.random() < 0.5}


def likely(rng: random.Random, most: int, shape: list[int | None], depth: int = 0) -> list[object]:
    """Entries of a chain; most of them fit what comes in."""
    made: list[object] = []
    rank = len(shape) - 1 if rng.random() < 0.9 else rng.randrange(4)
    for index in range(rng.randint(1, most)):
        head = rng.choice(heads(rng, rank))
        if depth < 3 and rng.random() < 0.2:
            head = {"chain": likely(rng, 3, shape, depth + 1)}
        elif depth < 3 and rng.random() < 0.15:
            head = {"branches": [likely(rng, 2, shape, depth + 1), []], "merge": rng.choice(["Add", "Concatenate"])}
        if next(iter(head)) == "Flatten" or "Global" in next(iter(head)):
            rank = 0
        more = {
            "repeat": rng.choice([0, 1, 3, {"k": [1, 2]}, {"$int": [1, 3]}]),
            "when": rng.choice([True, "${width == 4}", "${input_shape[-1] > 2}"]),
            "from": rng.choice(["previous", ["previous", "previous"], "input", f"n{rng.randrange(4)}", "n0-*", "n1-0"]),
            "trainable": False,
        }
        name = {"name": f"n{index}"} if depth == 0 and rng.random() < 0.3 else {}
        made.append({**head, **name, **{key: more[key] for key in more if rng.random() < 0.1}})
    return made


def heads(rng: random.Random, rank: int) -> list[dict[str, object]]:
    """Calls for a tensor with `rank` axes of places."""
    units = rng.choice([1, 2, 3, 4, 8, "$width", "${width * 2}", "${input_shape[-1]}"])
    kernel = {"filters": units, "kernel_size": rng.choice([1, 2, 3]), "padding": rng.choice(["same", "same", "valid"])}
    always: list[dict[str, object]] = [
        {"Dense": units}, {"Dense": {"units": units, "activation": "$act"}}, {"BatchNormalization": None}, {"Dropout": 0.3},
        {"ops.relu": None}, {"unit": 3}, {"outer": None}, {"$choice": ["ReLU", [], {"Dense": 3}]}, {"Flatten": None},
        {"ops.multiply": 0.5}, {"LayerNormalization": None}, {"Activation": "$act"},
    ]  # fmt: skip
    if rank == 0:
        return [*always, {"mlp": [4, 3]}, {"Reshape": [-1, 2]}, {"RepeatVector": 3}, {"Maxout": 2}]
    maps: list[dict[str, object]] = [
        {f"Conv{rank}D": kernel}, {f"Conv{rank}DTranspose": kernel}, {f"MaxPooling{rank}D": {"pool_size": 2, "padding": "same"}},
        {f"GlobalAveragePooling{rank}D": None}, {f"UpSampling{rank}D": 2}, {f"ZeroPadding{rank}D": 1}, {"ops.mean": {"axis": rng.choice([1, -1])}},
    ]  # fmt: skip
    if rank == 1:
        maps += [
            {"LSTM": {"units": units, "return_sequences": True}}, {"Bidirectional": {"layer": {"GRU": {"units": 3, "return_sequences": True}}}},
            {"self_attention": 2}, {"transformer_encoder": {"heads": 2, "ff": 8}}, {"PositionEmbedding": 12},
        ]  # fmt: skip
    if rank == 2:
        maps += [{"residual": 4}, {"bottleneck": {"filters": 2, "stride": 2}}, {"mb_conv": 4}, {"conv_pool": [4, 8]}]
    return [*always, *maps, {"TimeDistributed": {"layer": rng.choice(["unit", {"Dense": 3}])}}]


def tried(text: str) -> None:
    """Load and check one document; raises what is neither a Spec nor a SpecError, and for a problem that says nothing."""
    from kbuild.plan.check import check
    from kbuild.spec.load import load
    from kbuild.text.problem import SpecError
    from kbuild.text.render import as_json, full

    try:
        problems = check(load(text)).problems
    except SpecError as error:
        problems = error.problems
        assert any(problem.severity == "error" for problem in problems), "a SpecError without an error"
    for problem in problems:
        assert re.fullmatch(r"K\d\d\d", problem.code)
        assert problem.message.strip(), problem.code
    shown = full(problems)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown), shown
    assert shown.count("[K") >= len(problems)
    json.dumps(as_json(problems))


def main(first: int, count: int) -> int:
    """Check documents in a folder where nothing is; returns how many went wrong."""
    import os
    import resource
    import time

    from kbuild.plan.rules import rules

    rules()
    wrong, slowest = 0, (0.0, first)
    used = (
        int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
    )
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number in range(first, first + count):
            text, start = document(number), time.process_time()
            signal.alarm(SECONDS)
            try:
                tried(text)
            except BaseException:
                wrong += 1
                print(f"--- document {number}\n{traceback.format_exc(limit=-6)}\n{text[:3000]}", flush=True)
            finally:
                signal.alarm(0)
            slowest = max(slowest, (time.process_time() - start, number))
        os.chdir("/")
    print(f"{count} documents, {wrong} wrong; the slowest was {slowest[1]} with {slowest[0]:.2f} s")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]), int(sys.argv[2])) else 0)
