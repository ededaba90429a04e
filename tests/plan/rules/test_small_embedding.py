"""K343: a row for every number."""

import pytest

END = "GlobalAveragePooling1D, {Dense: {units: 1, activation: sigmoid}}"


def said(tell, rows, data, *roots, first=""):
    model = f"[{first}{{Embedding: {{input_dim: {rows}, output_dim: 4}}}}, {END}]"
    return tell("K343", f"data: {data}\nmodel: {model}", *roots)


def test_words_of_a_named_set(tell):
    assert said(tell, 20000, "{source: imdb}") == []
    assert said(tell, 19999, "{source: imdb}") == [
        ("error", "`embedding` has 19,999 rows and `input` holds numbers up to 19,999")
    ]
    assert said(tell, 10, "{source: imdb}", first="{Reshape: [100, 2]}, Flatten, ")[0][0] == "error"


@pytest.fixture
def reviews(tmp_path):
    for kind in ("good", "bad"):
        (tmp_path / "reviews" / kind).mkdir(parents=True)
        for number in range(8):
            (tmp_path / "reviews" / kind / f"{number}.txt").write_text(f"a {kind} word {number}")
    return tmp_path


def test_a_vocabulary_is_an_upper_bound(tell, reviews):
    data = "{source: {text: reviews, vocabulary: 50}}"
    assert said(tell, 50, data, reviews) == []
    assert said(tell, 49, data, reviews) == [("warning", "`embedding` has 49 rows and `vocabulary` allows 50 words")]


def test_words_that_were_read_are_known(reviews):
    from kbuild.data.load import load as read
    from kbuild.plan.check import check
    from kbuild.spec.load import load
    from kbuild.text.problem import SpecError

    def codes(rows):
        text = f"kbuild: 1\ndata: {{source: {{text: reviews, vocabulary: 500}}}}\nmodel: [{{Embedding: {{input_dim: {rows}, output_dim: 4}}}}, {END}]\n"
        spec = load(text, data_roots=[reviews])
        dataset = read(spec.data, 0)
        try:
            return int(dataset.train.x["input"].max()), {p.code for p in check(spec, dataset.header).problems}
        except SpecError as error:
            return int(dataset.train.x["input"].max()), {p.code for p in error.problems}

    most, found = codes(500)
    assert "K343" not in found
    assert "K343" not in codes(most + 1)[1]
    assert "K343" in codes(most)[1]
