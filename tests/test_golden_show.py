"""Golden documents of `show`: a spec, and exactly what its views print; `pytest --update-golden` rewrites what they say."""

import re
from pathlib import Path

import pytest

from kbuild.cli.main import main

DOCUMENTS = sorted((Path(__file__).parent / "golden" / "show").glob("*.md"))
SPEC = re.compile(r"```yaml\n(?P<spec>.*?)```\n", re.DOTALL)
VIEW = re.compile(r"(`kbuild show spec\.yaml(?P<options>[^`]*)`\n\n```\w+\n)(?P<said>.*?)(```)", re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_views_are_what_the_document_says(path, request, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    document = path.read_text(encoding="utf-8")
    spec = SPEC.search(document)
    assert spec
    assert VIEW.search(document)
    Path("spec.yaml").write_text(spec["spec"], encoding="utf-8")

    def said(match: re.Match[str]) -> str:
        with pytest.raises(SystemExit) as end:
            main(["show", "spec.yaml", *match["options"].split()])
        assert not end.value.code
        return match[1] + capsys.readouterr().out + match[4]

    now = VIEW.sub(said, document)
    if request.config.getoption("--update-golden"):
        path.write_text(now, encoding="utf-8")
    assert now == document
