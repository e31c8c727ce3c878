"""`python -m app`, and the installed command `likeness`: the window, or a sub-command without one."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

from app import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the process's exit code."""
    multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    from app import cli

    if arguments and arguments[0] in cli.COMMANDS:
        return cli.main(arguments)
    args = _parser(cli.summary()).parse_args(arguments)
    from app.application import run_window

    return run_window(args.file)


def _parser(commands: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="likeness",
        description="Refine AI base meshes of people and pets into printable colour figurines.",
        epilog=commands,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", type=Path, help="mesh to open in the window; without it, the sample")
    parser.add_argument("--version", action="version", version=f"likeness {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
