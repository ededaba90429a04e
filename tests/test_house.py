"""What holds for the whole house: the order of the rooms, what they import, how long things are."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "builder" / "kbuild"
ROOMS = ["text", "spec", "data", "plan", "model", "train", "search", "cli"]
HEAVY = {"keras", "keras_tuner", "tensorflow", "jax", "torch", "ray"}
SLOW = {"sklearn", "pandas", "matplotlib", "scipy", "PIL", "tensorboard"}
TREES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def room(path: Path) -> str:
    """`text` for builder/kbuild/text/read.py; empty for a file at the top."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported below a node, dotted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, without those for type checkers."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_room_imports_only_rooms_before_it():
    wrong = []
    for path, tree in TREES.items():
        here = room(path)
        if here in ROOMS:
            found = {name.split(".")[1] for name in imports(tree) if name.startswith("kbuild.")} & set(ROOMS)
            wrong += [f"{path} imports {other}" for other in found - set(ROOMS[: ROOMS.index(here) + 1])]
    assert wrong == []


def test_left_of_the_keras_line_nothing_imports_keras():
    wrong = []
    for path, tree in TREES.items():
        here = room(path)
        if here in {"model", "train", "search"}:
            continue
        eager = {name.split(".")[0] for statement in at_import(tree) for name in imports(statement)}
        wrong += [f"{path} imports {name}" for name in eager & (HEAVY | SLOW)]
        if here in {"text", "spec", "data", "plan", "blocks"}:
            ever = {name.split(".")[0] for name in imports(tree)}
            # one function asks `keras.datasets` for its files: nothing else knows where they are
            allowed = {"keras"} if path.relative_to(PACKAGE) == Path("data/sets.py") else set()
            wrong += [f"{path} imports {name} in a function" for name in (ever & HEAVY) - allowed]
    assert wrong == []


def test_only_a_few_files_ask_which_backend_runs():
    wrong = []
    for path, tree in TREES.items():
        name = str(path.relative_to(PACKAGE))
        # the process that loads what was exported is not on a backend: it uses what the format is made for
        if name not in {"model/backend.py", "train/reloaded.py"} and not re.match(
            r"train/(feed|stream|execution|distribute|gradients)[a-z_]*\.py$", name
        ):
            found = {module.split(".")[0] for module in imports(tree)} & {"tensorflow", "jax", "torch"}
            wrong += [f"{name} imports {backend}" for backend in found]
    assert wrong == []


def test_numpy_stays_out_of_text_spec_and_plan():
    left = {path: tree for path, tree in TREES.items() if room(path) in {"text", "spec", "plan"}}
    assert [str(path) for path, tree in left.items() if "numpy" in {name.split(".")[0] for name in imports(tree)}] == []


def test_files_and_functions_are_short():
    long = []
    for path, tree in TREES.items():
        lines = path.read_text("utf-8").count("\n")
        long += [f"{path} has {lines} lines"] if lines > 350 else []
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                long += [f"{path}:{node.lineno} {node.name} has {length} lines"] if length > 50 else []
    assert long == []


def test_every_file_says_what_it_is():
    assert [str(path) for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_a_room_lists_what_is_in_it():
    missing = [
        str(path.relative_to(PACKAGE))
        for path in TREES
        if room(path) in ROOMS and path.parent.parent == PACKAGE and path.name != "__init__.py"
        if path.name not in (path.parent / "__init__.py").read_text("utf-8")
    ]
    assert missing == []


def declared() -> dict[str, str]:
    """What `setup.py` requires, by name."""
    tree = ast.parse((ROOT / "setup.py").read_text("utf-8"))
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "setup")
    required = next(keyword.value for keyword in call.keywords if keyword.arg == "install_requires")
    return {re.split(r"[<>=\[]", text, maxsplit=1)[0]: text for text in ast.literal_eval(required)}


def test_what_is_declared_is_imported_and_the_other_way_round():
    called = {"yaml": "pyyaml", "sklearn": "scikit-learn", "PIL": "pillow", "keras_tuner": "keras-tuner"}
    # pydantic needs pydantic_core, in exactly one version; jax, torch, ray and onnx are extras; grpc stays a part of tensorboard
    elsewhere = {"kbuild", "pydantic_core", "jax", "torch", "ray", "pyarrow", "onnx"}
    found = {name.split(".")[0] for tree in TREES.values() for name in imports(tree)}
    found = {called.get(name, name) for name in found - elsewhere - set(sys.stdlib_module_names)}
    # the signatures of KerasTuner are read from its source; it imports six without declaring it
    assert found | {"keras-tuner", "six"} == set(declared())


def test_every_bound_is_met_by_what_the_tests_run_with():
    from importlib.metadata import PackageNotFoundError, version

    for name, text in declared().items():
        try:
            have = version(name)
        except PackageNotFoundError:
            continue  # in an environment for JAX not all is there
        bound = text.partition(">=")[2]
        assert bound, f"{name} has no lower bound"
        assert [int(n) for n in re.findall(r"\d+", have)[:3]] >= [int(n) for n in bound.split(".")], text


def test_nothing_names_a_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    # put together, so that this file does not name one itself
    homes = "|".join(["root/", "home/[a-z]", "Users/", "work/(main|env|shared)"])
    hosts = "|".join([r"files\.python" + "hosted", "pypi" + r"\.org"])
    pattern = re.compile(rf"(?<![\w.])/({homes})|{hosts}")
    found = []
    for name in listed.stdout.split("\n"):
        path = ROOT / name
        if not name or not path.is_file() or path.stat().st_size > 1 << 20:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{name}:{number}" for number, line in enumerate(text.split("\n"), 1) if pattern.search(line)]
    assert found == []


def run(code: str) -> str:
    environment = {"PYTHONPATH": str(ROOT / "builder"), "PATH": "", "HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split("\n")[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", "specs/digits_mlp.yaml"],
        ["show", "specs/digits_cnn.yaml", "--json"],
        ["show", "specs/resnet50.yaml", "--depth", "2"],
        ["show", "specs/resnet50.yaml", "--svg", "-"],
        ["show", "specs/resnet50.yaml", "--mermaid"],
        ["diff", "specs/digits_mlp.yaml", "specs/digits_cnn.yaml"],
        ["new", "--data", "iris"],
        ["ls"],
        ["layers", "Conv2D"],
        ["schema"],
        ["data", "specs/xor_mlp.yaml"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_verbs_left_of_the_line_end_without_keras(arguments):
    heavy = sorted(HEAVY)
    code = (
        "import sys\nfrom kbuild.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print()\nprint('loaded:', *[m for m in {heavy!r} if m in sys.modules])"
    )
    assert run(code) == "loaded:"


def test_importing_kbuild_costs_nothing():
    code = "import sys, typing; before = set(sys.modules); import kbuild; print(*sorted(set(sys.modules) - before))"
    assert run(code) == "kbuild kbuild.version"


def test_every_public_name_is_there():
    code = "import kbuild; print(*[name for name in kbuild.__all__ if getattr(kbuild, name, None) is None])"
    assert run(code) == ""
