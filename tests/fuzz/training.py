"""Specs that are made up, from the signatures of the installed Keras: `python training.py FIRST COUNT` says what became of each.

Every one that `check` finds nothing wrong with must train: two steps or a few more, and a validation. Each is trained
in a process of its own, forked from one that has Keras, by the command line that a user would write.
"""

import json
import os
import random
import sys
import tempfile
from collections import Counter
from itertools import combinations
from pathlib import Path

from kbuild.spec.allow import may_stand
from kbuild.spec.signature import Signature, identifiers, names, signature

DATA = {
    # the classes, None for numbers; the built-in sets in parts that make two batches
    "digits": (10, {"validation": 60, "test": 1657}, 40),
    "iris": (3, {"validation": 30, "test": 40}, 40),
    "wine": (3, {"validation": 38, "test": 60}, 40),
    "breast_cancer": (2, {"validation": 69, "test": 420}, 40),
    "diabetes": (None, {"validation": 62, "test": 300}, 40),
}
NUMBERS = {
    "recall": 0.5, "precision": 0.5, "specificity": 0.5, "sensitivity": 0.5, "initial_learning_rate": 0.01,
    "decay_steps": 5, "first_decay_steps": 2, "decay_rate": 0.9, "boundaries": [2, 4], "values": [0.1, 0.01, 0.001],
    "target_class_ids": [0, 1], "thresholds": 0.5, "weight_decay": 1e-4, "clipnorm": 1.0, "global_clipnorm": 1.0, "clipvalue": 0.5,
    "k": 2, "num_thresholds": 20, "ema_overwrite_frequency": 2, "warmup_steps": 2, "gradient_accumulation_steps": 2,
}  # fmt: skip
"""Arguments that have no default, or none that is a number."""
SCHEDULES = (
    None, {"step": {"every": "1 epochs"}}, {"exponential": {}}, {"cosine": {}}, {"cosine": {"warmup": "1 steps", "to": 1e-5}},
    {"cosine_restarts": {"period": "1 epochs"}}, {"linear": {"warmup": "10 percent"}}, {"one_cycle": {}}, {"plateau": {"patience": 0}},
    {"piecewise": {"at": ["1 steps"], "values": [0.01, 0.001]}}, {"plateau": {"monitor": "loss", "warmup": "1 epochs"}},
)  # fmt: skip
AUGMENT = (
    None, [{"GaussianNoise": 0.1}], [{"RandomFlip": "horizontal"}], [{"RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}}],
    [{"MixUp": {"alpha": 0.2}}], [{"CutMix": {}}], [{"RandomRotation": 0.1}, {"MixUp": {}}], [{"RandomErasing": {}}], [{"RandAugment": {"value_range": [0, 16]}}],
)  # fmt: skip
MONITORS = ("val_loss", "loss", "val_accuracy", "accuracy", "val_mean_absolute_error")
EXECUTION = (
    "auto",
    {"steps_per_execution": 2},
    {"steps_per_execution": 3, "jit": False},
    {"jit": True},
    {"jit": "auto", "steps_per_execution": 64},
)
BODY = (
    [{"Dense": {"units": 6, "activation": "relu"}}], [{"Dense": 6}, "BatchNormalization", "ReLU"], [{"Dense": 6}, "LayerNormalization", {"Dropout": 0.3}],
    [{"mlp": {"units": [8, 6]}}], [{"Dense": {"units": 6, "kernel_regularizer": {"L2": 1e-3}}}], [], [{"Dense": {"units": 6, "kernel_constraint": "UnitNorm"}}],
    [{"GaussianDropout": 0.2}, {"Dense": {"units": 6, "activation": {"LeakyReLU": 0.2}}}], [{"Maxout": {"units": 6}}],
)  # fmt: skip


def made(number: int) -> tuple[dict[str, object], dict[str, str]]:
    """The spec of a number, and what was chosen for each factor."""
    draw = random.Random(number)
    source = draw.choice(list(DATA))
    classes, split, batch = DATA[source]
    image = source == "digits"
    task = draw.choice(["fitting", "fitting", "fitting", "any"])
    model, head = network(draw, classes, image, task)
    augment = draw.choice(AUGMENT) if draw.random() < (0.5 if image else 0.05) else None
    mixed = "Mix" in str(augment)
    train, chosen = training(draw, classes, (*head, mixed), task)
    data: dict[str, object] = {
        "source": source,
        "split": dict(split),
        "batch_size": draw.choice([batch, batch, 17, 200]),
    }
    if draw.random() < 0.1:
        data["split"] = {**split, "validation": 0}
    if augment:
        data["augment"] = augment
    if draw.random() < 0.3:
        data["preprocess"] = draw.choice(
            [[{"Rescaling": 0.1}], ["Normalization"], [{"Rescaling": {"scale": 2.0, "offset": -1.0}}]]
        )
    if draw.random() < 0.05:
        data["target"] = "input"
    chosen |= {
        "data": source,
        "augment": str(augment),
        "body": str(model[-2:-1]),
        "head": str(head),
        "target": str(data.get("target", "")),
    }
    return {"kbuild": 1, "name": f"fuzz_{number}", "data": data, "model": model, "train": train}, chosen


def network(draw: random.Random, classes: int | None, image: bool, task: str) -> tuple[list, tuple]:
    """A small chain, and its last units and activation."""
    layers: list = []
    if image:
        layers = draw.choice(
            [["Flatten"], [{"Conv2D": {"filters": 3, "kernel_size": 3, "activation": "relu"}}, "Flatten"]]
        )
        layers = [*layers] if draw.random() < 0.9 else [{"conv_pool": {"filters": [3]}}, "GlobalAveragePooling2D"]
    layers = [*layers, *draw.choice(BODY)]
    if task == "fitting":
        fitting = {None: [(1, None), (1, "linear")], 2: [(1, "sigmoid"), (1, None), (2, "softmax"), (2, None)]}
        head = draw.choice(fitting.get(classes, [(classes, "softmax"), (classes, None)]))
    else:
        head = (draw.choice([1, 2, 3, classes or 1, 10]), draw.choice(["softmax", "sigmoid", "relu", "tanh", None]))
    return [*layers, {"Dense": {"units": head[0], "activation": head[1]} if head[1] else {"units": head[0]}}], head


def training(
    draw: random.Random, classes: int | None, head: tuple, task: str
) -> tuple[dict[str, object], dict[str, str]]:
    optimizer = call(draw, "optimizers")
    schedule = draw.choice(SCHEDULES) if draw.random() < 0.5 else None
    if schedule is None and draw.random() < 0.15:
        schedule = call(draw, "schedules")
    train: dict[str, object] = {"epochs": 1 if draw.random() < 0.8 else 2, "optimizer": optimizer}
    loss = "auto" if draw.random() < 0.25 else losses(draw, classes, head, task)
    train["loss"] = loss
    metrics = [one for one in (measures(draw, classes, head, task) for _ in range(draw.choice([0, 1, 1, 2]))) if one]
    callbacks = draw.choice([None, None, None, [call(draw, "callbacks")]])
    if schedule is not None and "Plateau" in str(callbacks) and draw.random() < 0.9:
        callbacks = None
    accumulate = draw.choice([None] * 5 + [2, 3]) if "accumulation" not in str(optimizer) else None
    known = MONITORS[: 4 if "accuracy" in metrics else 2] if draw.random() < 0.9 else MONITORS
    options: dict[str, object] = {
        "metrics": metrics or None,
        "schedule": schedule,
        "early_stopping": draw.choice([None, None, {"monitor": draw.choice(known), "patience": 0}]),
        "class_weight": draw.choice([None] * (6 if classes else 60) + ["balanced"]),
        "precision": draw.choice([None] * 5 + ["mixed_bfloat16", "mixed_float16"]),
        "callbacks": callbacks,
        "tensorboard": draw.choice([None, None, False, {"histograms": 1}]),
        "checkpoint": draw.choice(
            [None, {"every": "1 steps"}, {"every": "2 epochs", "keep": 3}, False, {"every": "1 minutes"}]
        ),
        "execution": draw.choice([None, *EXECUTION]),
        "accumulate": accumulate,
        "phases": draw.choice([None] * 7 + [[{"epochs": 1}, {"epochs": 1, "optimizer": call(draw, "optimizers")}]]),
        "deterministic": draw.choice([None] * 7 + [True]),
        "seed": draw.choice([None, 7]),
        "health": draw.choice([None, None, False]),
        "distribute": draw.choice([None] * 12 + ["data_parallel"]),
        "repeats": draw.choice([None] * 25 + [2]),
    }
    train |= {name: value for name, value in options.items() if value is not None}
    chosen = {name: named(value) for name, value in {**options, "optimizer": optimizer, "loss": loss}.items()}
    return train, chosen


def losses(draw: random.Random, classes: int | None, head: tuple, task: str) -> object:
    """A loss that goes with the head, or any."""
    if task != "fitting":
        return any_of(draw, "losses", classes, head, task) or "auto"
    logits = {"from_logits": True} if head[1] is None and classes else {}
    if classes is None:
        return draw.choice(
            ["mse", "mae", {"Huber": 0.5}, "LogCosh", "mean_squared_error", "MeanAbsolutePercentageError"]
        )
    if head[0] == 1:
        return draw.choice(
            [{"BinaryCrossentropy": {**logits, "label_smoothing": 0.1}}, {"BinaryFocalCrossentropy": logits}, "Hinge"]
        )
    if head[2]:
        return draw.choice(
            [{name: logits} for name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy")] + ["KLDivergence"]
        )
    return {"SparseCategoricalCrossentropy": logits} if draw.random() < 0.9 else {"CategoricalCrossentropy": logits}


def measures(draw: random.Random, classes: int | None, head: tuple, task: str) -> object:
    """A metric that goes with the head, or any."""
    if task != "fitting" or draw.random() < 0.2:
        return any_of(draw, "metrics", classes, head, task)
    if classes is None:
        return draw.choice(["mae", "mse", "R2Score", "RootMeanSquaredError", "PearsonCorrelation"])
    if head[0] == 1:
        return draw.choice(
            [
                "accuracy",
                "AUC",
                {"Precision": {"thresholds": 0.4}},
                "BinaryAccuracy",
                "TruePositives",
                {"RecallAtPrecision": 0.5},
            ]
        )
    sparse = [
        "accuracy",
        "SparseCategoricalAccuracy",
        {"SparseTopKCategoricalAccuracy": 2},
        "sparse_categorical_crossentropy",
    ]
    return draw.choice(
        ["accuracy", "CategoricalAccuracy", "F1Score", {"TopKCategoricalAccuracy": 2}] if head[2] else sparse
    )


def any_of(draw: random.Random, namespace: str, classes: int | None, head: tuple, task: str) -> object:
    """A call or an identifier of a namespace; what is named after other labels than these seldom."""
    if draw.random() < 0.3:
        return draw.choice(sorted(identifiers(namespace)))
    return call(draw, namespace, classes)


def call(draw: random.Random, namespace: str, classes: int | None = None) -> object:
    """A call with some of its arguments, their values like the defaults or as NUMBERS says."""
    known = draw.choice(callable_names(namespace))
    arguments = {}
    for parameter in known.parameters:
        if parameter.required or draw.random() < 0.2:
            value = drawn(draw, parameter.name, parameter.default, classes)
            if value is not None:
                arguments[parameter.name] = value
    return {known.name: arguments} if arguments else known.name


_KNOWN: dict[str, list[Signature]] = {}


def callable_names(namespace: str) -> list[Signature]:
    if namespace not in _KNOWN:
        found = [signature(namespace, name) for name in sorted(names(namespace))]
        _KNOWN[namespace] = [known for known in found if known is not None and may_stand(known)]
    return _KNOWN[namespace]


def drawn(draw: random.Random, name: str, default: object, classes: int | None) -> object:
    if name in ("inner_optimizer", "optimizer"):
        return draw.choice(["adam", {"SGD": {"learning_rate": 0.01}}, {"AdamW": {"use_ema": True}}])
    if name == "num_classes":
        return classes or 2
    if name in NUMBERS:
        return NUMBERS[name]
    if name in ("name", "dtype", "optimizer_map", "loss_scale_factor", "baseline") or default is None:
        return None
    if isinstance(default, bool):
        return draw.random() < 0.5
    if isinstance(default, int):
        return default + draw.choice([0, 0, 1])
    if isinstance(default, float):
        return default * draw.choice([1.0, 0.5, 0.1])
    return default if isinstance(default, str) and default.isidentifier() else None


def named(value: object) -> str:
    """A value as a level of its factor."""
    if isinstance(value, dict):
        return "+".join(value)
    if isinstance(value, list):
        return "+".join(named(item) for item in value)
    return str(value)


def became(number: int, folder: Path) -> tuple[str, str]:
    """What became of a spec: `refused` by check, `trained`, `late` (refused after Keras was started), `diverged`, `crashed`."""
    spec, _ = made(number)
    path = folder / f"fuzz_{number}.json"
    path.write_text(json.dumps(spec))
    said = folder / f"{number}.said"
    code = child(["check", str(path), "--json"], said)
    if code:
        problems = (
            json.loads(said.read_text())["problems"]
            if code == 1
            else [{"code": "crash", "message": said.read_text()[-1500:]}]
        )
        first = next((one for one in problems if one.get("severity", "error") == "error"), problems[0])
        return ("refused" if code == 1 else "crashed"), f"{first['code']} {first['message']}"
    run = folder / f"run-{number}"
    code = child(["fit", str(path), "--out", str(run), "--quiet"], said)
    text = said.read_text()
    if "Traceback" in text or code not in (0, 1, 3, 4):
        return "crashed", f"exit {code}: {text[-2500:]}"
    if not code:
        return "trained", ""
    error = text[text.find("error[") :][:400]
    if "K510" in error:
        return "diverged", error
    return ("crashed" if (run / "run.json").exists() else "late"), error


def child(arguments: list[str], said: Path) -> int:
    """The exit code of a command in a forked process; minus the signal if one ended it."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 99
    try:
        file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        from kbuild.cli.main import main

        main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def pairs(numbers: range) -> int:
    """How many pairs of levels of two factors the specs of these numbers hold."""
    found = set()
    for number in numbers:
        _, chosen = made(number)
        found |= set(combinations(sorted(chosen.items()), 2))
    return len(found)


def main(first: int, count: int) -> int:
    from kbuild.model import backend

    backend.start()
    for module in ("cli.main", "train.fit", "train.session", "train.score"):
        __import__(f"kbuild.{module}")
    outcomes: Counter[str] = Counter()
    for number in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            outcome, why = became(number, Path(folder))
        outcomes[outcome] += 1
        if outcome != "trained":
            print(json.dumps({"number": number, "outcome": outcome, "why": why}), flush=True)
        if outcome in ("crashed", "late"):
            print(json.dumps(made(number)[0]), flush=True)
    print(f"{count} specs: {dict(sorted(outcomes.items()))}, {pairs(range(first, first + count))} pairs")
    return 1 if outcomes["crashed"] else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
