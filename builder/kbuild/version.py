"""The version, where `setup.py` and the command can both read it without importing anything."""

__version__ = "0.1.0"
