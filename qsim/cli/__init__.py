"""The command ``qsim``: run, draw and convert circuit files, describe, test and measure the installation."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

from qsim._version import __version__
from qsim.errors import QsimError

__all__ = ["main"]

_EPILOG = """\
examples:
  qsim run bell.qasm --shots 1000 --seed 1      sample, print the top outcomes
  qsim run vqe.qasm --observable "Z0 Z1" --param theta=pi/4
  qsim draw bell.qasm                           draw in the terminal
  qsim convert old.qasm new.qasm --to 3         OpenQASM 2 to OpenQASM 3
  qsim info                                     what serves here, and how large a state fits
  qsim doctor                                   test the installation
  qsim bench                                    measure what memory and arithmetic reach here
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        0: done. 1: `doctor` found a fault. 2: bad input, told in one line on stderr. 130: Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without Unicode gets question marks, not an exception
            stream.reconfigure(errors="replace")
    args = _parser().parse_args(argv)
    try:
        return int(args.function(args))
    except BrokenPipeError:  # `qsim draw ... | head`: nobody reads the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except (QsimError, OSError, ImportError, MemoryError) as error:
        if isinstance(error, ImportError) and "pip install" not in str(error):
            raise  # not an optional package, but a fault
        if args.debug:
            traceback.print_exc()
        print(f"qsim: error: {_message(error)}", file=sys.stderr)
        return 2


def _message(error: BaseException) -> str:
    """One line that says what is wrong."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fspath(error.filename)}: {error.strerror}."
    if isinstance(error, MemoryError) and not str(error):
        return "There is not enough memory for this circuit; see `qsim info` for what fits."
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qsim",
        description="Statevector simulation of quantum circuits.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"qsim {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the Python traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    file_help = "OpenQASM 2 or 3, or a circuit as JSON (*.json); - reads the standard input"

    run = commands.add_parser("run", parents=[common], help="run a circuit and report what comes out")
    run.add_argument("file", metavar="FILE", help=file_help)
    run.add_argument(
        "--shots",
        type=int,
        help="number of samples (default: 1000 if the circuit measures, else exact probabilities)",
    )
    run.add_argument("--seed", type=int, help="seed of the samples (default: another one each time)")
    run.add_argument("--precision", choices=("double", "single"))
    run.add_argument("--backend", help="cpp or numba (default: cpp where it was built)")
    run.add_argument("--threads", type=int)
    run.add_argument(
        "--observable",
        action="append",
        default=[],
        metavar="LABEL",
        help='expectation value to report, e.g. "Z0 Z1" or "0.5 Z0 Z1 - X2"; may be given several times',
    )
    run.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a parameter, e.g. theta=pi/4, or x=0.1,0.2 for a vector; may be given several times",
    )
    run.add_argument("--top", type=int, default=10, help="outcomes to list (default: 10)")
    run.add_argument("--json", action="store_true", help="report as JSON, with all sampled outcomes")
    run.add_argument("--histogram", metavar="PNG", help="save a bar chart of the outcomes (needs Matplotlib)")
    run.set_defaults(function=_run)

    draw = commands.add_parser("draw", parents=[common], help="draw a circuit")
    draw.add_argument("file", metavar="FILE", help=file_help)
    draw.add_argument("--mpl", metavar="PNG", help="save a picture instead (needs Matplotlib)")
    draw.add_argument(
        "--fold", type=int, help="width of a line; -1: never fold (default: the terminal's width)"
    )
    draw.add_argument("--reverse-bits", action="store_true", help="put the highest qubit on top")
    draw.add_argument("--all", action="store_true", help="draw all operations, however many there are")
    draw.set_defaults(function=_draw)

    convert = commands.add_parser("convert", parents=[common], help="write a circuit in another format")
    convert.add_argument("input", metavar="IN", help=file_help)
    convert.add_argument("output", metavar="OUT", help="file to write; - writes to the standard output")
    convert.add_argument(
        "--to",
        choices=("2", "3", "json"),
        help="OpenQASM 2, OpenQASM 3 or JSON (default: JSON for *.json, OpenQASM 2 for *.qasm2, else 3)",
    )
    convert.set_defaults(function=_convert)

    info = commands.add_parser("info", parents=[common], help="describe the installation and the machine")
    info.add_argument("--json", action="store_true", help="report as JSON")
    info.set_defaults(function=_info)

    doctor = commands.add_parser("doctor", parents=[common], help="test the installation")
    doctor.set_defaults(function=_doctor)

    bench = commands.add_parser(
        "bench", parents=[common], help="measure bandwidth and peak arithmetic, for Program.explain()"
    )
    bench.add_argument("--threads", type=int, help="measure for so many beside one (default: those in use)")
    bench.add_argument("--json", action="store_true", help="report as JSON")
    bench.set_defaults(function=_bench)
    return parser


# Each command imports what it needs when it runs, so that --help and errors come at once.
def _run(args: argparse.Namespace) -> int:
    from qsim.cli.run import run

    return run(args)


def _draw(args: argparse.Namespace) -> int:
    from qsim.cli.files import draw

    return draw(args)


def _convert(args: argparse.Namespace) -> int:
    from qsim.cli.files import convert

    return convert(args)


def _info(args: argparse.Namespace) -> int:
    from qsim.cli.info import info

    return info(args)


def _bench(args: argparse.Namespace) -> int:
    from qsim.cli.bench import bench

    return bench(args)


def _doctor(args: argparse.Namespace) -> int:
    from qsim.doctor import run_doctor

    return 0 if run_doctor() else 1
