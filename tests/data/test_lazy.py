"""Arrays that are not in memory: the same as those that are, from every source, and told when they are not."""

import csv
import os
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from kbuild.data import arrays, cells, encoded, memory, unpacked
from kbuild.data.describe import describe
from kbuild.data.lazy import CHUNK, Lazy, cast, chunks, collected, extent, mapped, take, whole
from kbuild.data.load import load
from kbuild.data.peek import peek
from kbuild.data.stored import GAP, opened, stored
from kbuild.spec.data import Csv, Data, Images, Npz, NpzPart, Split

RANDOM = np.random.default_rng(0)
PLAIN = Split(validation=0.2, test=0.1)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def file(tmp_path):
    """An array in a file behind seven other bytes → the same array, not in memory."""

    def make(array):
        (tmp_path / "raw").write_bytes(b"seven b" + array.tobytes())
        return stored(opened(tmp_path / "raw"), 7, array.shape, array.dtype)

    return make


@pytest.mark.parametrize("shape", [(50,), (50, 3), (50, 2, 3, 1), (50, GAP), (50, 0), (0, 4)], ids=str)
@pytest.mark.parametrize("dtype", ["u1", "f4", ">f8", "f2", "?"])
def test_rows_of_a_file_are_those_of_the_array(file, shape, dtype):
    array = RANDOM.integers(0, 2, shape).astype(dtype)
    lazy = file(array)
    assert (lazy.shape, lazy.dtype, lazy.ndim, lazy.nbytes, len(lazy)) == (
        array.shape, array.dtype, array.ndim, array.nbytes, len(array)
    )  # fmt: skip
    keys = [slice(None), slice(3, 40, 7), slice(40, None, -1), slice(0, 0), np.array([], int)]
    if len(array):
        keys += [
            0,
            -1,
            np.array([4, 4, 0, 49, 7, 8, 9]),
            RANDOM.permutation(50),
            np.arange(50)[::-1],
            np.array([-1, 0]),
        ]
    for key in keys:
        np.testing.assert_array_equal(lazy[key], array[key])
        assert np.asarray(lazy[key]).dtype == np.asarray(array[key]).dtype
    with pytest.raises(IndexError):
        lazy[np.array([len(array)])]


def test_near_rows_are_read_together_and_far_ones_apart(file, monkeypatch):
    lazy = file(np.arange(400_000, dtype="i4").reshape(-1, 10))
    read = []
    real = os.preadv
    monkeypatch.setattr(
        os, "preadv", lambda handle, into, at: read.append((len(into[0]), at)) or real(handle, into, at)
    )
    assert lazy[np.array([39_000, 5, 3, 38_999])][:, 0].tolist() == [390_000, 50, 30, 389_990]
    assert read == [(3 * 40, 7 + 3 * 40), (2 * 40, 7 + 38_999 * 40)]


def test_it_does_not_become_an_array_unasked(file):
    with pytest.raises(TypeError, match="not in memory"):
        np.asarray(file(np.zeros(3)))


def test_views_of_views_and_functions_of_rows(file):
    array = RANDOM.normal(size=(30, 4)).astype("f4")
    lazy = file(array)
    one, two = RANDOM.permutation(30)[:20], RANDOM.permutation(20)[:9]
    for given in (array, lazy):
        found = take(take(given, one), two)
        np.testing.assert_array_equal(whole(found), array[one][two])
        np.testing.assert_array_equal(whole(cast(found, "i4")), array[one][two].astype("i4"))
        doubled = mapped(found, lambda rows: rows[:, :2] * 2, (2,))
        assert doubled.shape == (9, 2)
        np.testing.assert_array_equal(doubled[np.array([3, 1])], array[one][two][[3, 1], :2] * 2)
        np.testing.assert_array_equal(
            collected(found, lambda rows: rows.argmax(axis=1)), array[one][two].argmax(axis=1)
        )
        assert extent(found) == (array[one][two].min(), array[one][two].max())


def test_pieces_hold_no_more_than_they_may(file):
    lazy = file(np.zeros((700, 12_345), "f4"))
    starts = []
    for start, rows in chunks(lazy):
        assert rows.nbytes <= CHUNK
        starts.append((start, len(rows)))
    assert len(starts) == 3
    assert sum(count for _, count in starts) == 700


def same(one, two):
    """Two data sets are equal, but for where their examples are."""
    assert one.digest == two.digest
    assert one.header == two.header
    assert one.header.seen == two.header.seen
    assert one.encoding == two.encoding
    for part in ("train", "validation", "test"):
        left, right = getattr(one, part), getattr(two, part)
        assert (left is None) == (right is None)
        if left is None:
            continue
        assert list(left.ids or ()) == list(right.ids or ())
        for a, b in ((left.x, right.x), (left.y, right.y), ({"": left.weights}, {"": right.weights})):
            assert list(a) == list(b)
            for name in a:
                if a[name] is None:
                    assert b[name] is None
                    continue
                assert whole(a[name]).dtype == whole(b[name]).dtype
                np.testing.assert_array_equal(whole(a[name]), whole(b[name]))


ARRAYS = {
    "x": RANDOM.integers(0, 256, (60, 5, 4, 1), dtype="u1"),
    "m": RANDOM.normal(size=(60, 3)).astype("f8"),
    "y": np.arange(60) % 3,
    "one_hot": np.eye(30)[np.arange(60) % 30],
    "picture": RANDOM.integers(0, 9, (60, 5, 5, 3)),
    "words": np.array(["yes", "no"])[np.arange(60) % 2],
    "big_endian": RANDOM.normal(size=(60, 40)).astype(">f4"),
    "w": RANDOM.random(60),
}
SECTIONS = {
    "labels": {"x": "x", "y": "y"},
    "several": {"x": {"a": "x", "b": "m"}, "y": {"p": "one_hot", "q": "picture", "r": "words"}, "weights": "w"},
    "numbers": {"x": "big_endian", "y": "big_endian", "test": NpzPart(x="big_endian", y="big_endian")},
    "none": {"x": "m"},
}


@pytest.fixture
def sources(tmp_path):
    """The same arrays as each kind of source."""
    np.savez(tmp_path / "plain.npz", **ARRAYS)
    np.savez_compressed(tmp_path / "packed.npz", **ARRAYS)
    (tmp_path / "files").mkdir()
    for name, array in ARRAYS.items():
        np.save(tmp_path / "files" / f"{name}.npy", array)
    return {
        "npz": {"npz": tmp_path / "plain.npz"},
        "packed": {"npz": tmp_path / "packed.npz"},
        "npy": {"npz": tmp_path / "files", "kind": "npy"},
    }


@pytest.mark.parametrize("kind", ["npz", "packed", "npy"])
@pytest.mark.parametrize("section", SECTIONS)
def test_arrays_are_the_same_in_memory_and_not(sources, kind, section):
    data = Data(source=Npz(**sources[kind], **SECTIONS[section]), split=PLAIN)
    one, two = (load(data.model_copy(update={"in_memory": held}), 7) for held in (True, False))
    assert not one.train.streams
    assert all(isinstance(array, Lazy) for array in two.train.x.values())
    same(one, two)
    assert describe(one.header, one) == describe(two.header, two)
    assert peek(data).inputs == one.header.inputs


def test_labels_as_small_as_an_order_are_in_memory(sources):
    data = Data(source=Npz(**sources["npz"], **SECTIONS["several"]), in_memory=False)
    y = load(data, 0).train.y
    assert {name: isinstance(array, Lazy) for name, array in y.items()} == {"p": True, "q": True, "r": False}


def test_pictures_are_the_same_in_memory_and_not(photos):
    root = photos({f"{kind}/{number}.png": (4, 6) for kind in ("dog", "cat") for number in range(10)})
    data = Data(source=Images(train=root, size=(5, 5)), split=PLAIN)
    one, two = (load(data.model_copy(update={"in_memory": held}), 7) for held in (True, False))
    assert isinstance(two.train.x["input"], Lazy)
    assert not one.train.streams
    same(one, two)


ROWS = [
    [f"{RANDOM.normal():.3f}", "ABC"[i % 3], f"word{i % 7} and {'é' * (i % 3)}", ["yes", "no"][i % 2], i % 3]
    for i in range(57)
]
TABLES = {
    "joined": ({"features": {"a": "numeric", "b": "category"}, "target": "y"}, ()),
    "text": ({"target": "n"}, {"c": (5,), "b": None, "rest": None}),
    "several": ({"target": ["n", "y"], "features": {"a": "numeric"}}, ()),
    "by content": ({"target": "y", "features": {"a": "numeric", "b": "category", "n": "numeric"}}, ("a", "rest")),
}


@pytest.fixture
def csvs(tmp_path, monkeypatch):
    """Two files of rows, the cells of which are kept in blocks of four."""
    monkeypatch.setattr(cells, "BLOCK", 4)
    monkeypatch.setattr(encoded, "BLOCK", 4)
    for name, rows in (("t.csv", ROWS), ("u.csv", ROWS[5:20])):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["a", "b", "c", "y", "n"], *rows])
    return tmp_path


@pytest.mark.parametrize("test", [False, True], ids=["one file", "two files"])
@pytest.mark.parametrize("kind", TABLES)
def test_tables_are_the_same_in_memory_and_not(csvs, kind, test):
    section, features = TABLES[kind]
    section = section if kind != "text" else {**section, "features": {"a": "numeric", "b": "category", "c": "text"}}
    source = Csv(csv=csvs / "t.csv", test=csvs / "u.csv" if test else None, **section)
    data = Data(source=source, split=PLAIN)
    one, two = (load(data.model_copy(update={"in_memory": held}), 7, features=features) for held in (True, False))
    assert all(isinstance(array, Lazy) for array in two.train.x.values())
    same(one, two)
    assert two.test.ids[0].startswith("line ")


def test_a_parquet_file_is_the_same_in_memory_and_not(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    columns = {"a": [float(row[0]) for row in ROWS], "b": [row[1] for row in ROWS], "y": [row[4] for row in ROWS]}
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet", row_group_size=10)
    data = Data(source=Csv(csv=tmp_path / "t.parquet", kind="parquet", target="y"), split=PLAIN)
    one, two = (load(data.model_copy(update={"in_memory": held}), 7) for held in (True, False))
    assert isinstance(two.train.x["input"], Lazy)
    same(one, two)
    assert two.train.ids[0].startswith("row ")


def test_numbers_may_fit_into_memory_where_text_does_not(csvs, cache):
    data = Data(source=Csv(csv=csvs / "t.csv", **TABLES["joined"][0]), in_memory=2000)
    assert not load(data, 0).train.streams
    assert len(list(cache.rglob("cells"))) == 1
    assert load(data.model_copy(update={"in_memory": 100}), 0).train.streams


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("1,2", "K421", "line 59 of `{}` has 2 cells and the first line names 5 columns"),
        ("four,A,c,yes,1", "K422", "the column `a` holds numbers, and `four` in line 59"),
        (",A,c,yes,1", "K422", "the column `a` is empty in line 59"),
        ("1,A,c,,1", "K422", "the target `y` is empty in line 59"),
        ('1,A,"c', "K404", "`{}` is no csv file: unexpected end of data"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_as_in_memory(csvs, problem, cache, line, code, message):
    path = csvs / "t.csv"
    path.write_text(path.read_text("utf-8") + line, "utf-8")
    data = Data(source=Csv(csv=path, **TABLES["joined"][0]))
    one, two = (problem(lambda h=held: load(data.model_copy(update={"in_memory": h}), 0)) for held in (True, False))
    assert one == two
    assert (one.code, one.message) == (code, message.format(path))
    assert not list(cache.rglob(".new-*"))


def test_cells_are_read_and_encoded_once(csvs, cache, monkeypatch):
    data = Data(source=Csv(csv=csvs / "t.csv", **TABLES["joined"][0]), in_memory=False)
    first = load(data, 0)
    monkeypatch.setattr(cells, "write", None)
    monkeypatch.setattr(encoded.encode, "columns", lambda *given, real=encoded.encode.columns: _few(real, *given))
    same(first, load(data, 0))


def _few(real, encoding, columns, where):
    assert max(len(cells) for cells in columns.values()) == 1
    return real(encoding, columns, where)


def test_an_array_is_unpacked_once_and_whenever_its_file_changes(sources, cache, monkeypatch):
    data = Data(source=Npz(**sources["packed"], x="x", y="y"), in_memory=False)
    first = load(data, 0)
    made = {path: path.stat().st_ino for path in cache.rglob("array")}
    assert len(made) == 1
    second = load(data, 0)
    assert {path: path.stat().st_ino for path in cache.rglob("array")} == made
    same(first, second)
    for path in made:
        path.unlink()
    # what is read already goes on
    same(first, second)
    np.savez_compressed(sources["packed"]["npz"], **{**ARRAYS, "x": ARRAYS["x"][::-1]})
    assert load(data, 0).digest != first.digest


def test_the_cache_keeps_what_was_used_last(sources, cache, monkeypatch):
    monkeypatch.setattr(unpacked, "KEPT", 2)
    for section in ("x", "m", "big_endian"):
        load(Data(source=Npz(**sources["packed"], x=section), in_memory=False), 0)
    assert len(list(cache.rglob("array"))) == 2


def test_without_a_cache_it_is_unpacked_all_the_same(sources, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    data = Data(source=Npz(**sources["packed"], x="x", y="y"), in_memory=False)
    same(load(data, 0), load(data.model_copy(update={"in_memory": True}), 0))


def test_no_room_is_a_problem(sources, problem, monkeypatch, cache):
    monkeypatch.setattr(unpacked.shutil, "disk_usage", lambda path: SimpleNamespace(free=9))
    found = problem(lambda: load(Data(source=Npz(**sources["packed"], x="x", y="y"), in_memory=False), 0))
    assert found.code == "K417"
    assert found.message.startswith("there is no room in")
    assert not list(cache.rglob(".new-*"))


def test_a_nan_is_found_by_its_number_in_the_source(tmp_path, problem):
    x = np.zeros((40, 3), "f4")
    x[17, 1] = np.nan
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(40) % 2)
    for held in (True, False):
        data = Data(source=Npz(npz=tmp_path / "x.npz", y="y"), in_memory=held)
        found = problem(lambda data=data: load(data, 0))
        assert (found.code, found.message) == ("K413", "`x.input` of `train` has a nan or infinity at example 17")


def test_a_file_that_is_cut_off_is_a_problem(sources, problem):
    for kind, name in (("npy", "x.npy"), ("npz", "")):
        path = sources[kind]["npz"] / name if name else sources[kind]["npz"]
        path.write_bytes(path.read_bytes()[:-300])
        found = problem(lambda kind=kind: load(Data(source=Npz(**sources[kind], y="y"), in_memory=False), 0))
        assert found.code == "K404"
    assert peek_fails(sources["npy"]) == "K404"


def peek_fails(source):
    from kbuild.text.problem import SpecError

    with pytest.raises(SpecError) as caught:
        peek(Data(source=Npz(**source, y="y")))
    return caught.value.problems[0].code


def test_a_file_that_changes_is_a_problem(sources, problem):
    dataset = load(Data(source=Npz(**sources["npy"], y="y"), in_memory=False), 0)
    path = sources["npy"]["npz"] / "x.npy"
    with path.open("r+b") as file:
        file.truncate(400)
    found = problem(lambda: dataset.train.x["input"][3])
    assert (found.code, found.help) == (
        "K416", "leave the data alone while they are used; write new data to another file and rename it"
    )  # fmt: skip


def test_a_file_that_is_replaced_stays_readable(sources):
    dataset = load(Data(source=Npz(**sources["npy"], y="y"), in_memory=False), 0)
    before = dataset.train.x["input"][3]
    path = sources["npy"]["npz"] / "x.npy"
    np.save(path.with_name("new.npy"), ARRAYS["x"][::-1])
    path.with_name("new.npy").replace(path)
    np.testing.assert_array_equal(dataset.train.x["input"][3], before)


def test_objects_and_arrays_by_columns_are_refused(tmp_path, problem):
    folder = tmp_path / "files"
    folder.mkdir()
    np.save(folder / "y.npy", np.arange(6) % 2)
    np.save(folder / "x.npy", np.array([{}] * 6, object), allow_pickle=True)
    data = Data(source=Npz(npz=folder, kind="npy", y="y"), in_memory=False)
    assert problem(lambda: load(data, 0)).code == problem(lambda: peek(data)).code == "K412"
    np.save(folder / "x.npy", np.asfortranarray(RANDOM.normal(size=(6, 4))))
    assert problem(lambda: load(data, 0)).code == "K418"
    assert load(data.model_copy(update={"in_memory": True}), 0).train.x["input"].shape == (4, 4)


def test_a_folder_without_arrays_a_link_out_of_it_and_a_wrong_key(tmp_path, problem):
    folder = tmp_path / "files"
    folder.mkdir()
    data = Data(source=Npz(npz=folder, kind="npy", x="z", y="y"))
    assert problem(lambda: load(data, 0)).message.endswith("has no npy files")
    np.save(folder / "y.npy", np.arange(6) % 2)
    np.save(folder / "x.npy", np.zeros((6, 2)))
    found = problem(lambda: peek(data))
    assert (found.code, found.help) == ("K410", "there is `x`, `y`")
    np.save(tmp_path / "z.npy", np.zeros((6, 2)))
    (folder / "z.npy").symlink_to(tmp_path / "z.npy")
    assert problem(lambda: peek(data)).code == "K405"
    (folder / "z.npy").unlink()
    (folder / "z.npy").write_bytes(b"no array")
    assert problem(lambda: peek(data)).code == "K404"


def test_a_member_of_an_archive_that_is_broken_is_a_problem(sources, problem):
    path = sources["packed"]["npz"]
    with zipfile.ZipFile(path) as archive:
        begin = archive.getinfo("x.npy").header_offset
    content = bytearray(path.read_bytes())
    content[begin + 120 : begin + 140] = bytes(20)
    path.write_bytes(content)
    found = problem(lambda: load(Data(source=Npz(**sources["packed"], y="y"), in_memory=False), 0))
    assert found.code == "K404"


def test_what_fits_is_a_quarter_of_what_the_process_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "limit", lambda: 4000)
    assert memory.fits(1000, "auto")
    assert not memory.fits(1001, "auto")
    monkeypatch.setattr(memory, "limit", lambda: None)
    assert memory.fits(10**15, "auto")


@pytest.mark.parametrize(
    ("lines", "files", "limits"),
    [
        ("0::/user/app\n", {"user/app/memory.max": "max", "user/memory.max": "5000"}, [5000]),
        ("0::/../gone\n", {"memory.max": "7000"}, [7000]),
        ("5:cpu:/a\n4:memory:/a\n", {"memory/a/memory.limit_in_bytes": "6000", "cpu/a/memory.max": "1"}, [6000]),
        ("", {}, []),
    ],
)
def test_limits_of_control_groups_count_with_all_above_them(tmp_path, lines, files, limits):
    (tmp_path / "cgroup").write_text(lines)
    for name, text in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text + "\n")
    assert sorted(set(memory._groups(tmp_path / "cgroup", tmp_path / "fs"))) == limits


def test_the_index_tells_where_arrays_lie(sources):
    index = arrays.arrays(sources["npz"]["npz"])
    content = sources["npz"]["npz"].read_bytes()
    for name, entry in index.items():
        assert content[entry.offset : entry.offset + entry.nbytes] == ARRAYS[name].tobytes()
    assert all(entry.offset is None for entry in arrays.arrays(sources["packed"]["npz"]).values())
