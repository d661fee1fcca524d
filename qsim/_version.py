"""The version, in one place: setup.py and `qsim.__version__` read it here."""

__version__ = "0.1.0.dev0"
