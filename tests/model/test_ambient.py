import json
import os

import pytest

from kbuild.model import ambient


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in (*ambient.LIMITS, "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    # What purge sets is taken back at the end of the test.
    monkeypatch.setenv("KERAS_NNX_ENABLED", "false")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "config",
    [{"floatx": "float99"}, {"epsilon": 1}, {"image_data_format": "upside_down"}, ["not", "a", "map"]],
)
def test_a_configuration_that_keras_would_stumble_over_is_left_out(config, home):
    (home / "keras.json").write_text(json.dumps(config), encoding="utf-8")
    assert ambient.purge() == [f"{home / 'keras.json'} is not a valid Keras configuration and was ignored"]
    assert os.environ["KERAS_HOME"] != str(home)


@pytest.mark.parametrize("text", [None, "{}", "no json", '{"floatx": "float64"}'])
def test_a_configuration_that_keras_can_read_stays(text, home):
    if text is not None:
        (home / "keras.json").write_text(text, encoding="utf-8")
    assert ambient.purge() == []
    assert os.environ["KERAS_HOME"] == str(home)


def test_an_empty_limit_is_no_limit(home, monkeypatch):
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "")
    assert ambient.purge() == []
    assert "KERAS_MAX_EPOCHS" not in os.environ


def test_quiet_holds_back_and_replays(capfd):
    with ambient.Quiet():
        os.write(2, b"never heard\n")
    with ambient.Quiet() as quiet:
        os.write(2, b"held back\n")
        quiet.replay()
        os.write(2, b"free\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "held back\nfree\nafter\n"
