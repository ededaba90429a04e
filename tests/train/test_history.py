import math

from hypothesis import given, settings
from hypothesis import strategies as st

from kbuild.train import history

ROW = {
    "epoch": 1,
    "seconds": 0.25,
    "learning_rate": 1e-3,
    "accuracy": 0.5,
    "loss": 2.0,
    "val_accuracy": 0.4,
    "val_loss": 2.5,
}


def test_columns_have_one_order(tmp_path):
    path = tmp_path / "history.csv"
    history.Writer(path).append(ROW)
    assert path.read_text() == (
        "epoch,seconds,learning_rate,loss,accuracy,val_accuracy,val_loss\n1,0.25,0.001,2,0.5,0.4,2.5\n"
    )


def test_rows_come_back(tmp_path):
    path = tmp_path / "history.csv"
    writer = history.Writer(path)
    writer.append(ROW)
    writer.append({**ROW, "epoch": 2, "loss": float("nan")})
    columns = history.read(path)
    assert columns["epoch"] == [1, 2]
    assert columns["loss"][0] == 2.0
    assert math.isnan(columns["loss"][1])
    assert list(columns)[:4] == ["epoch", "seconds", "learning_rate", "loss"]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200))
def test_a_file_torn_anywhere_reads_as_its_whole_rows(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("h") / "history.csv"
    writer = history.Writer(path)
    for epoch in (1, 2, 3):
        writer.append({**ROW, "epoch": epoch})
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole))])
    kept = max(path.read_bytes().count(b"\n") - 1, 0)
    columns = history.read(path)
    assert columns.get("epoch", []) == [1, 2, 3][:kept]
    assert {len(values) for values in columns.values()} <= {kept}


def test_no_file_is_no_history(tmp_path):
    assert history.read(tmp_path / "none.csv") == {}
