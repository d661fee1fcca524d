"""Where the header and the shared library of the C interface are."""

from __future__ import annotations

import sys
from pathlib import Path

from qsim.errors import BackendError

__all__ = ["get_include", "get_library"]

_PACKAGE = Path(__file__).resolve().parent


def get_include() -> str:
    """The folder that holds ``qsim.h``.

    Returns
    -------
    str

    Examples
    --------
    >>> import pathlib, qsim
    >>> (pathlib.Path(qsim.get_include()) / "qsim.h").exists()
    True
    """
    return str(_PACKAGE / "include")


def get_library() -> str:
    """The path of the shared library that the functions of ``qsim.h`` are in.

    Returns
    -------
    str

    Raises
    ------
    BackendError
        If this installation has none, because no C++ compiler was found when it was made.
    """
    name = "libqsim.dylib" if sys.platform == "darwin" else "libqsim.so"
    path = _PACKAGE / "lib" / name
    if not path.exists():
        raise BackendError(
            f"The shared library of the C interface is missing ({path}): qsim was installed without a "
            "working C++ compiler. With one (g++ 12 or clang 15 and up), install qsim again."
        )
    return str(path)
