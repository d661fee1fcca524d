"""``python -m qsim``: the same as the command ``qsim``."""

import sys

from qsim.cli import main

if __name__ == "__main__":
    sys.exit(main())
