"""What the commands share: exit codes, kinds of arguments, and looking at outputs before the work begins."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from app.errors import InvalidInput

DONE, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def command(commands: Any, name: str, summary: str, carry_out: Callable[[argparse.Namespace], int]) -> Any:
    """Add a command to what `ArgumentParser.add_subparsers` returned; returns its parser."""
    parser = commands.add_parser(
        name, help=summary, description=summary, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(carry_out=carry_out)
    return parser


def add_files(parser: Any) -> None:
    """FILE... with what to look for in folders, how many at once, and the printer."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files, or folders of files")
    parser.add_argument("-r", "--recursive", action="store_true", help="look into the folders of folders too")
    add_profile(parser)
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per file")
    parser.add_argument("--jobs", type=count, default=1, metavar="N", help="files to work on at once, default 1")
    parser.add_argument("-j", dest="jobs", type=count, default=argparse.SUPPRESS, metavar="N", help="short for --jobs")


def add_profile(parser: Any) -> None:
    """--profile NAME."""
    parser.add_argument("--profile", default="wjp", metavar="NAME", help="printer profile, default wjp")


def positive(text: str) -> float:
    """A number above 0."""
    with suppress(ValueError):
        value = float(text)
        if 0 < value < float("inf"):
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def count(text: str) -> int:
    """A whole number of at least 1."""
    with suppress(ValueError):
        value = int(text)
        if value >= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")


def must_be_writable(output: Path, files: Iterable[Path]) -> None:
    """Say at once what would only show after minutes of work. Raises InvalidInput, or WriteFailed.

    files: what is read, so must not be written over.
    """
    from app.preflight.placing import explained

    if not output.absolute().parent.is_dir():
        raise InvalidInput("the folder does not exist", output, "Make the folder, or choose another")
    if output.is_dir():
        raise InvalidInput("there is a folder of this name", output, "Choose another name")
    if output.exists() and not output.is_file():  # a device would be replaced by a file
        raise InvalidInput("is not an ordinary file", output, "Choose another name")
    if output.exists() and any(file.exists() and output.samefile(file) for file in files):
        raise InvalidInput("is a file that is read", output, "Choose another name for the output")
    with explained(output), TemporaryFile(dir=output.absolute().parent):
        pass  # has no name, so that nothing is left even if it is interrupted
