"""Packages that only parts of qsim need, and what to type where one is missing or too old."""

from __future__ import annotations

import importlib
import re
from types import ModuleType

__all__ = ["require"]


def require(
    module: str, *, extra: str, user: str, name: str | None = None, at_least: str = "0"
) -> ModuleType:
    """The imported module, or an ImportError that says what needs it and which command installs it.

    Parameters
    ----------
    module : str
        What to import.
    extra : str
        The extra of the distribution that brings it.
    user : str
        What needs it: the subject of the error's sentence.
    name : str, optional
        What people call the package; by default the module's name.
    at_least : str, optional
        The oldest version that will do, such as ``"2.4"``.

    Raises
    ------
    ImportError
        If the module is missing, or older than `at_least`.
    """
    name = name or module
    package = f'"qsim-statevector[{extra}]"'
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the package is there; something it imports is not
        raise ImportError(f"{user} needs {name}: pip install {package}.", name=module) from error
    version = str(getattr(found, "__version__", "0"))
    if _numbers(version) < _numbers(at_least):
        raise ImportError(
            f"{user} needs {name} {at_least} or later, but {version} is installed: "
            f"pip install --upgrade {package}.",
            name=module,
        )
    return found


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: (2, 13, 0) of ``2.13.0+cpu``."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match.group().split(".")) if match else ()
