"""An export against the verdict: what failed, who wanted it all the same, and why, kept beside the file.

    PreflightReport -> Override -> `export` puts the record in place together with the file, or neither

What does not live here: judging (`checks`), exporting (`export`), asking (the window, the command line).
"""

from __future__ import annotations

import getpass
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.errors import InvalidInput
from app.preflight.checks.check import WARN, CheckResult
from app.preflight.checks.running import PreflightReport
from app.preflight.verdict import FAIL

SUFFIX = ".override.txt"
_FIRST_LINE = "Likeness: exported although it fails its checks"


@dataclass(frozen=True)
class Override:
    """failing: what fails, one sentence each. reason: why it is wanted all the same; InvalidInput without one."""

    failing: tuple[str, ...]
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise InvalidInput("an export against the verdict needs a reason", "", "Say why in a few words")

    def __str__(self) -> str:
        return f"Exported although it fails: {'; '.join(self.failing)}. Reason given: {_stopped(self.reason)}"


def failing_of(report: PreflightReport) -> tuple[str, ...]:
    """What fails, one sentence each with its number and limit; empty where it may be exported without a question."""
    lines = tuple(_line(each) for each in report.of_status(FAIL))
    return lines or ((report.message,) if report.status == FAIL else ())


def notes_of(report: PreflightReport) -> tuple[str, ...]:
    """What is doubtful, one sentence each."""
    return tuple(_stopped(_line(each)) for each in report.of_status(WARN))


def record_path(exported: Path) -> Path:
    """Where the override of a file that is about to be exported is kept: the record of the file that stands there.

    Any other text of that name, also the record of a file that was moved away, is left alone, and a number is added.
    """
    path, number = exported.with_name(exported.name + SUFFIX), 1
    while path.exists() and not _is_record(path, exported):
        number += 1
        path = exported.with_name(f"{exported.name}.override-{number}.txt")
    return path


def record_text(override: Override, file: Path, printer: str, when: datetime, lines: Sequence[str]) -> str:
    """The record of a file that is there already. when: with its time zone. lines: what the export's report says."""
    return "\n".join(
        (
            _FIRST_LINE,
            "",
            f"file     {file.name}",
            f"sha256   {_digest(file)}",
            f"printer  {printer}",
            f"when     {when:%Y-%m-%d %H:%M %Z}, by {_user()}",
            f"reason   {' '.join(override.reason.split())}",
            "",
            "what fails",
            *(f"  {line}" for line in override.failing),
            "",
            "what was written and compared",
            *(f"  {line}" for line in lines),
            "",
        )
    )


def forget(record: Path) -> None:
    """Take away the record of a file that was replaced by one that needs none."""
    with suppress(OSError):
        record.unlink(missing_ok=True)


def _is_record(path: Path, exported: Path) -> bool:
    try:
        text = path.read_bytes()
        return text.startswith(_FIRST_LINE.encode()) and _digest(exported).encode() in text
    except OSError:
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _line(result: CheckResult) -> str:
    named = result.message.startswith(f"{result.label}:")
    return result.message if named else f"{result.label}: {result.message}"


def _stopped(sentence: str) -> str:
    sentence = " ".join(sentence.split())
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such entry, as in a container
        return "an unknown user"
