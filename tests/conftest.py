"""Options of the whole suite."""


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden documents; review them as a diff")
