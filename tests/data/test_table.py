import csv
import json

import numpy as np
import pytest

from kbuild.data import peek as peeking
from kbuild.data.encode import encode_rows
from kbuild.data.header import Header, Target, Tensor
from kbuild.data.load import load
from kbuild.data.peek import peek
from kbuild.spec.data import Csv, Data

HEAD = ("age", "city", "price")
ROWS = [(i, "ABC"[i % 3], i * 1.5) for i in range(30)]


def changed(column, row, cell):
    rows = [list(one) for one in ROWS]
    rows[row][column] = cell
    return rows


def test_numbers_are_normalized_and_categories_one_hot(table):
    data = table(HEAD, ROWS)
    dataset = load(data, 0)
    x = dataset.train.x["input"]
    assert x.dtype == np.float32
    assert np.allclose([x[:, 0].mean(), x[:, 0].std()], [0, 1], atol=1e-6)
    cities = np.array(["ABC".index(ROWS[int(line.split()[1]) - 2][1]) for line in dataset.train.ids])
    assert (x[:, 1:] == np.eye(3)[cities]).all()
    assert dataset.header == Header(
        {"input": Tensor((4,), "float32")}, {"output": Target((), "float32", "regression")}, {"train": 30}
    )
    assert peek(data) == dataset.header


def test_the_encoding_is_of_the_training_part(table):
    rows = [*ROWS[:-1], (1000, "D", 1.5)]
    from kbuild.spec.data import Split

    dataset = load(table(HEAD, rows, split=Split(validation=0, test=1, shuffle=False)), 0)
    columns = dataset.encoding["inputs"]["input"]["columns"]
    ages = np.arange(29)
    assert columns[0] == {"name": "age", "kind": "numeric", "mean": ages.mean(), "std": ages.std()}
    assert columns[1] == {"name": "city", "kind": "category", "vocabulary": ["A", "B", "C"]}
    assert dataset.test.x["input"][0, 1:].tolist() == [0, 0, 0]
    assert dataset.test.x["input"][0, 0] > 100


def test_new_rows_are_encoded_as_the_old(table):
    dataset = load(table(HEAD, ROWS), 0)
    encoding = json.loads(json.dumps(dataset.encoding))
    rows = [dict(zip(HEAD, map(str, ROWS[int(line.split()[1]) - 2]), strict=True)) for line in dataset.test.ids]
    found = encode_rows(encoding, rows)
    assert list(found) == ["input"]
    assert (found["input"] == dataset.test.x["input"]).all()
    assert encode_rows(encoding, [{"age": "3", "city": "nowhere"}])["input"][0, 1:].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        ({"age": "3"}, "K420", "row 1 has no column `city`"),
        ({"age": "x", "city": "A"}, "K422", "the column `age` is `x` in row 1"),
        ({"age": "", "city": "A"}, "K422", "the column `age` is empty in row 1"),
    ],
)
def test_new_rows_that_do_not_fit(table, problem, row, code, message):
    encoding = load(table(HEAD, ROWS), 0).encoding
    found = problem(lambda: encode_rows(encoding, [row]))
    assert (found.code, found.message) == (code, message)


def test_rows_mean_nothing_to_a_model_of_arrays(problem):
    found = problem(lambda: encode_rows({"kind": "array"}, [{"a": "1"}]))
    assert found.message == "the model was not trained on a table, so rows mean nothing to it"


def test_columns_of_the_built_in_sets_are_rows_too(named):
    dataset = load(named("iris"), 0)
    names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    found = encode_rows(dataset.encoding, [dict(zip(names, ["5.1", "3.5", "1.4", "0.2"], strict=True))])
    assert np.allclose(found["input"], [[5.1, 3.5, 1.4, 0.2]])


def test_a_column_that_the_model_names_is_an_input_of_its_own(table):
    rows = [(i, "ABC"[i % 3], f"word{i} Some, TEXT", i % 2) for i in range(30)]
    head = ("age", "city", "note", "label")
    declared = {"age": "numeric", "city": "category", "note": "text"}
    data = table(head, rows, {"features": declared})
    dataset = load(data, 0, features=("note", "rest"))
    assert dataset.header.inputs == {"note": Tensor((200,), "int32"), "rest": Tensor((4,), "float32")}
    assert peek(data, features=("note", "rest")) == dataset.header
    # `some` and `text` are the most frequent, so they are the first two words
    assert dataset.test.x["note"][0, :4].tolist() == [1, 2, 3, 0]

    shapes = {"age": (1,), "city": (), "note": (2,)}
    dataset = load(data, 0, features=shapes)
    assert {name: tensor.shape for name, tensor in dataset.header.inputs.items()} == shapes
    assert dataset.header.inputs["city"].dtype == "int32"
    line = int(dataset.train.ids[0].split()[1]) - 2
    assert dataset.train.x["age"][0].tolist() == [rows[line][0]]
    assert dataset.train.x["city"][0] == 1 + "ABC".index(rows[line][1])


def test_the_only_input_takes_all_columns(table):
    assert list(load(table(HEAD, ROWS), 0, features=("row",)).header.inputs) == ["row"]


def test_columns_that_no_input_takes_stay_out(table):
    assert list(load(table(HEAD, ROWS), 0, features=("age",)).header.inputs) == ["age"]


@pytest.mark.parametrize(
    ("cells", "target"),
    [
        ("yn" * 15, Target((), "int32", "binary", ("n", "y"), 2)),
        (["0", "1", "2"] * 10, Target((), "int32", "multiclass", ("0", "1", "2"), 3)),
        (["0.0", "1.0"] * 15, Target((), "int32", "binary", ("0", "1"), 2)),
        (["3", "5", "4"] * 10, Target((), "float32", "regression")),
        (range(30), Target((), "float32", "regression")),
        (["0.5", "1"] * 15, Target((), "float32", "regression")),
    ],
)
def test_the_task_is_told_by_the_cells(table, cells, target):
    data = table(("a", "y"), [(i, cell) for i, cell in enumerate(cells)])
    assert load(data, 0).header.targets == peek(data).targets == {"output": target}


def test_class_names_make_whole_numbers_classes(table):
    data = table(("a", "y"), [(i, 3 + i % 2) for i in range(30)], classes=("low", "high"))
    dataset = load(data, 0)
    assert dataset.header.targets["output"] == Target((), "int32", "binary", ("low", "high"), 2)
    assert peek(data) == dataset.header
    assert dataset.encoding["targets"] == {"output": {"task": "binary", "classes": ["low", "high"]}}


def test_several_targets_are_several_outputs(table):
    data = table(HEAD, ROWS, {"target": ["city", "price"]})
    header = load(data, 0).header
    assert header.inputs == {"input": Tensor((1,), "float32")}
    assert [(name, target.task) for name, target in header.targets.items()] == [
        ("city", "multiclass"),
        ("price", "regression"),
    ]


def test_a_test_file_is_the_test_part(table, tmp_path):
    (tmp_path / "test.csv").write_text("price,city,age\n3,A,1\n6,C,2\n")
    dataset = load(table(HEAD, ROWS, {"test": tmp_path / "test.csv"}), 0)
    assert dataset.header.counts == {"train": 30, "test": 2}
    assert dataset.test.y["output"].tolist() == [3, 6]
    assert (len(dataset.train), len(dataset.validation)) == (27, 3)


def test_quotes_delimiters_marks_and_blank_lines(tmp_path, whole):
    (tmp_path / "t.csv").write_bytes('\ufeffa; b;y\r\n1;"x;\n1";2.5\r\n\r\n 2 ;z;3.5\r\n'.encode())
    dataset = load(Data(source=Csv(csv=tmp_path / "t.csv", target="y", delimiter=";"), split=whole), 0)
    assert dataset.encoding["inputs"]["input"]["columns"][1]["vocabulary"] == ["x;\n1", "z"]
    assert list(dataset.train.ids) == ["line 3", "line 5"]


@pytest.mark.parametrize(
    ("rows", "source", "code", "message", "help"),
    [
        (ROWS, {"target": "prise"}, "K420", "`{f}` has no column `prise`", "did you mean `price`?"),
        (ROWS, {"features": {"agee": "numeric"}}, "K420", "there is no column `agee`", "did you mean `age`?"),
        (ROWS, {"features": {"price": "numeric"}}, "K424", "`price` is the target and a feature", None),
        (ROWS, {"features": {"city": "numeric"}}, "K422", "the column `city` holds numbers, and `A` in line 2", None),
        (ROWS, {"features": {"city": "text"}}, "K424", "the column `city` is text and needs an input of its own", None),
        (changed(0, 5, "?"), {}, "K422", "the column `age` holds numbers, and `?` in line 7",
         "correct it, or, if these are categories, write `features: {age: category}`"),
        (changed(0, 5, "nan"), {}, "K422", "the column `age` holds numbers, and `nan` in line 7", None),
        (changed(0, 5, "1_0"), {}, "K422", "the column `age` holds numbers, and `1_0` in line 7", None),
        (changed(0, 5, ""), {}, "K422", "the column `age` is empty in line 7",
         "fill it in, leave the row out, or write `features: {age: category}`, where empty is a category too"),
        (changed(2, 5, ""), {}, "K422", "the target `price` is empty in line 7", None),
        (changed(2, 5, "dear"), {}, "K422", "the column `price` holds numbers, and `dear` in line 7", None),
        ([*ROWS, (1, 2)], {}, "K421", "line 32 of `{f}` has 2 cells and the first line names 3 columns", None),
        ([(a, f"c{a}", p) for a, _, p in ROWS], {}, "K423",
         "the column `city` has 30 different texts in 30 rows, so it is no category", None),
        ([(a, "", p) for a, _, p in ROWS], {}, "K422", "the column `city` is empty", None),
        ([], {}, "K421", "`{f}` has no rows", None),
        ([(a, c, "one") for a, c, _ in ROWS], {}, "K414", "`y.price` has one class only, `one`", None),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit(table, problem, rows, source, code, message, help):
    data = table(HEAD, rows, source)
    for call in (lambda: load(data, 0), lambda: peek(data)):
        found = problem(call)
        assert (found.code, found.message.replace(str(data.source.csv), "{f}")) == (code, message)
        assert found.help
        assert help is None or found.help == help


@pytest.mark.parametrize(
    ("features", "written", "message"),
    [
        (
            ("agee", "row"),
            None,
            "the inputs `agee`, `row` of the model are no columns, and only one can join the others",
        ),
        (("age", "city", "row"), None, "no column is left for the input `row` of the model"),
        (("price",), None, "the input `price` of the model is the target"),
        (("age",), {"age": "numeric", "city": "category"}, "the feature `city` goes to no input of the model"),
    ],
)
def test_inputs_that_do_not_fit(table, problem, features, written, message):
    found = problem(lambda: load(table(HEAD, ROWS, {"features": written}), 0, features=features))
    assert (found.code, found.message, found.path) == ("K424", message, "model.inputs")
    assert found.help


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("a;b\n1;2\n", "`{f}` has one column only, `a;b`", 'its delimiter seems another: write `delimiter: ";"`'),
        ("a,a\n1,2\n", "`{f}` has two columns `a`", "give each column a name of its own"),
        ("a,\n1,2\n", "column 2 of `{f}` has no name", "the first line names the columns"),
        ("", "`{f}` is empty", "the first line names the columns"),
        ('a,b\n"1,2\n', "`{f}` is no csv file: unexpected end of data", "check its quotes"),
        (
            "a,b\n\u00e9,1\n".encode("latin-1"),
            "`{f}` is not UTF-8 text: invalid continuation byte at byte 4",
            "save it as UTF-8",
        ),
    ],
)
def test_files_that_are_no_table(tmp_path, problem, text, message, help):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = problem(lambda: peek(Data(source=Csv(csv=path, target="a"))))
    assert (found.message.replace(str(path), "{f}"), found.help) == (message, help)


def test_a_large_file_is_not_read_whole(tmp_path, monkeypatch):
    path = tmp_path / "large.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("age", "city", "kind"), *((i, "ABC"[i % 3], "xyz"[i % 3]) for i in range(2000))])
    data = Data(source=Csv(csv=path, target="kind"))
    whole = peek(data)
    assert whole.inputs == {"input": Tensor((4,), "float32")}
    monkeypatch.setattr(peeking, "WHOLE", 1000)
    assert peek(data) == Header(
        {"input": Tensor((None,), "float32")}, {"output": Target((), "int32", "multiclass")}, {"train": None}
    )
    with path.open("a") as file:
        file.write("this line is never read")
    numbers = Data(source=Csv(csv=path, target="kind", features={"age": "numeric"}), classes=("x", "y", "z"))
    assert peek(numbers) == Header(
        {"input": Tensor((1,), "float32")},
        {"output": Target((), "int32", "multiclass", ("x", "y", "z"), 3)},
        {"train": None},
    )


def test_parquet(tmp_path, whole):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    columns = dict(zip(HEAD, zip(*ROWS, strict=True), strict=True))
    parquet.write_table(pyarrow.table({name: list(cells) for name, cells in columns.items()}), tmp_path / "t.parquet")
    data = Data(source=Csv(kind="parquet", csv=tmp_path / "t.parquet", target="price"), split=whole)
    dataset = load(data, 0)
    assert dataset.header.inputs == peek(data).inputs == {"input": Tensor((4,), "float32")}
    assert dataset.train.ids[3] == "row 3"


def test_parquet_without_pyarrow(tmp_path, problem, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    found = problem(lambda: peek(Data(source=Csv(kind="parquet", csv=tmp_path / "t.parquet"))))
    assert (found.code, found.help) == ("K406", "run `pip install 'kbuild[tabular]'`")
