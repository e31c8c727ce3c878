"""`python -m app`, and the installed command `likeness`: the window, or a sub-command without one."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app import __version__

NOT_DONE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the process's exit code."""
    multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    from app import cli

    if arguments and arguments[0] in cli.COMMANDS:
        return cli.main(arguments)
    args = _parser(cli.summary()).parse_args(arguments)
    problem = _why_no_window(args.file)
    if problem:
        sys.stderr.write(f"likeness: {problem}\n")
        return NOT_DONE
    from app.application import run_window

    return run_window(args.file)


def _why_no_window(file: Path | None) -> str:
    """Why there can be no window, in one line; empty where there can. Qt itself would abort the process."""
    if file is not None and not file.exists():
        return f"{file}: there is no such file or command. See likeness --help."
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        platform = os.environ.get("QT_QPA_PLATFORM", "")
        if platform not in ("offscreen", "minimal", "vnc"):
            return "there is no display for a window. The commands work without one: see likeness --help."
    return ""


def _parser(commands: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="likeness",
        description="Refine AI base meshes of people and pets into printable colour figurines.",
        epilog=commands,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", type=Path, help="project or mesh to open; without it, the sample")
    parser.add_argument("--version", action="version", version=f"likeness {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
