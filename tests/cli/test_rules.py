"""`kbuild rules`: the list and the pages."""


def test_lists_each_rule_with_its_severity(kbuild):
    done = kbuild("rules")
    assert done.code == 0
    assert "K333  error     softmax over a single unit" in done.out


def test_shows_a_page(kbuild):
    done = kbuild("rules", "K333")
    assert done.out.startswith("error[K333]: softmax over a single unit\n\nWhat it does\n    Finds ")


def test_an_unknown_rule_is_a_problem(kbuild):
    done = kbuild("rules", "K33")
    assert done.code == 1
    assert "there is no rule `K33`" in done.err
