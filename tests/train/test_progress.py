import io

from kbuild.train import progress

ROW = {
    "epoch": 3,
    "seconds": 0.42,
    "learning_rate": 1e-3,
    "loss": 0.20314,
    "accuracy": 0.94021,
    "val_loss": 0.221,
    "val_accuracy": 0.9333,
}


def test_an_epoch_is_one_line():
    assert progress.line(ROW, 30, True) == (
        "epoch  3/30  loss 0.2031 (val 0.2210)  accuracy 0.9402 (val 0.9333)  lr 0.001  0.4 s  best"
    )
    assert progress.line({"epoch": 1, "seconds": 2, "learning_rate": 1e-5, "loss": 1e-7}, 9, False) == (
        "epoch 1/9  loss 1.000e-07  lr 1e-05  2.0 s"
    )


def test_plain_lines(capsys):
    plain = progress.reporter()
    plain.start(30, 12)
    plain.note("loss: mse")
    plain.step(5)
    plain.epoch(ROW, False)
    plain.finish()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["30 epochs of 12 steps", "loss: mse"]
    assert lines[2].startswith("epoch  3/30  loss 0.2031")
    assert len(lines) == 3


def test_quiet_says_nothing(capsys):
    quiet = progress.reporter(quiet=True)
    quiet.start(1, 1)
    quiet.note("x")
    quiet.epoch(ROW, True)
    quiet.finish()
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_and_a_line_an_epoch():
    from rich.console import Console

    shown = progress.Rich()
    shown._console = Console(file=io.StringIO(), force_terminal=True, width=200, highlight=False)
    shown.start(30, 10)
    shown.step(30)
    shown.note("text [bold] stays")
    shown.epoch(ROW, True)
    shown.finish()
    shown.finish()
    text = shown._console.file.getvalue()
    assert "accuracy 0.9402 (val 0.9333)" in text
    assert "text [bold] stays" in text
    assert "30/300" in text


def test_the_bar_counts_no_epoch_beyond_the_last():
    from rich.console import Console

    shown = progress.Rich()
    shown._console = Console(file=io.StringIO(), force_terminal=True, width=200, highlight=False)
    last = int(ROW["epoch"])
    shown.start(last, 10)
    shown.epoch(ROW, True)
    shown.finish()
    assert f"epoch {last + 1}" not in shown._console.file.getvalue()


def test_a_table_is_aligned():
    assert progress.table({"a": {"x": 0.5, "n": 3}, "long": {"x": 1.0, "n": 12}}, ["x", "n"]) == (
        "              x          n\na        0.5000          3\nlong     1.0000         12"
    )
