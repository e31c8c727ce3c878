"""What a command writes: its answer, notes beside it, and progress. A full disk or a closed pipe is no traceback.

What does not live here: what is written (`cli` and the reports).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from app.errors import WriteFailed


def take_any_name() -> None:
    """Make the streams take every text: a file name need not be valid in the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def answer(text: str) -> None:
    """Write lines of the answer. Raises WriteFailed, or BrokenPipeError where nobody reads any more."""
    try:
        _write_line(sys.stdout, text)
    except BrokenPipeError:
        _silence(sys.stdout)
        raise
    except OSError as error:
        _silence(sys.stdout)
        what = f"the answer cannot be written: {error.strerror or error}"
        raise WriteFailed(what, "", "Look at where the output is sent") from error


def tell(text: str) -> None:
    """Write a line on the error stream. If even that fails, the exit code has to be enough."""
    try:
        _write_line(sys.stderr, text)
    except OSError:
        _silence(sys.stderr)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """The text with what would steer a terminal as escapes: names of files and of their parts may hold anything."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class Progress:
    """Shows progress on the error stream when that is a terminal."""

    def __enter__(self) -> Callable[[float, str], None]:
        self._shown = 0
        return self._show if sys.stderr is not None and sys.stderr.isatty() else lambda fraction, doing: None

    def _show(self, fraction: float, doing: str) -> None:
        # One line: a longer one could not be taken back.
        text = plain(f"{100 * fraction:3.0f} %  {doing}").replace("\n", " ")[: shutil.get_terminal_size().columns - 1]
        sys.stderr.write("\r" + text.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(text)

    def __exit__(self, *error: object) -> None:
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")


def _write_line(stream: TextIO | None, text: str) -> None:
    if stream is not None:  # None: closed before the program began
        stream.write(plain(text) + "\n")
        stream.flush()


def _silence(stream: TextIO) -> None:
    """Send what the stream still holds nowhere: at its end the interpreter would try once more, and exit with 120."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
