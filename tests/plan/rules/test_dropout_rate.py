"""K316: rates that drop almost nothing, or most."""

import pytest

END = "\n- Dense: 2"


@pytest.mark.parametrize(
    ("rate", "severity"),
    [
        (0, None),
        (0.001, "hint"),
        (0.0999, "hint"),
        (0.1, None),
        (0.3, None),
        (0.5, None),
        (0.51, "hint"),
        (0.9, "hint"),
        (0.91, "warning"),
    ],
)
def test_borders(said, rate, severity):
    found = said("K316", f"- Dense: 8\n- Dropout: {rate}{END}")
    assert found == ([(severity, str(rate))] if severity else [])


@pytest.mark.parametrize("layer", ["SpatialDropout1D: 0.7", "GaussianDropout: 0.7", "AlphaDropout: 0.7"])
def test_all_sorts_of_dropout(said, layer):
    assert said("K316", f"- {layer}{END}", "[4, 2]") == [("hint", "0.7")]


def test_arguments_called_dropout(said):
    layers = "- LSTM: {units: 8, dropout: 0.2, recurrent_dropout: 0.6}"
    assert said("K316", layers + END, "[4, 2]") == [("hint", "0.6")]
    assert said("K316", "- Bidirectional: {LSTM: {units: 8, dropout: 0.95}}" + END, "[4, 2]")[0][0] == "warning"


def test_alpha_dropout_is_made_for_small_rates(said):
    assert said("K316", f"- Dense: 8\n- AlphaDropout: 0.05{END}") == []


def test_stochastic_depth_is_no_dropout_of_units(said):
    assert said("K316", f"- Dense: 8\n- StochasticDepth: 0.02{END}") == []
    assert said("K316", f"- Dense: 8\n- Dropout: {{rate: 0.02, noise_shape: [null, 1]}}{END}") == []


def test_points_into_the_list_of_a_block(said):
    assert said("K316", "- mlp: {units: [16, 8], dropout: [0.2, 0.7]}" + END) == [("hint", "0.7")]


def test_the_remedy_for_a_share_to_keep(find):
    (problem,) = find("K316", "- Dense: 8\n- Dropout: 0.95" + END)
    assert problem.help == "if 0.95 is the share to keep, write 0.05"
