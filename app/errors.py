"""Errors that a user can act on. Raised by readers, operations and exports; shown only by the application.

Every message answers three questions: what happened, where (which file, which part of it), what to do next.
"""

from __future__ import annotations

import os

# Messages quote what a file says, and a file can say a megabyte.
_LONGEST, _LONGEST_PATH = 320, 4500


def readable(text: str, most: int = _LONGEST) -> str:
    """A text short enough to be read: the beginning and the end of a long one."""
    return text if len(text) <= most else f"{text[: most * 3 // 4]} ... {text[-most // 8 :]}"


class LikenessError(Exception):
    """An error whose text is fit to be shown to a sculptor.

    what: what happened, as one sentence without a full stop.
    where: the file or part concerned; may be empty.
    advice: what to do next, as one sentence without a full stop; may be empty.
    Each is shortened to a readable length.
    """

    def __init__(self, what: str, where: str | os.PathLike[str] = "", advice: str = "") -> None:
        what, where, advice = readable(what), readable(os.fspath(where), _LONGEST_PATH), readable(advice)
        self.what, self.where, self.advice = what, where, advice
        super().__init__(what, where, advice)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}. {self.advice}." if self.advice else f"{text}."


class UnreadableFile(LikenessError):
    """An input file is truncated, malformed, hostile, or of a kind that is not read."""


class LimitExceeded(UnreadableFile):
    """An input file asks for more memory, time or elements than an honest file of its kind would."""


class WriteFailed(LikenessError):
    """A file could not be written; whatever stood at its name before is still there."""


class VerificationFailed(WriteFailed):
    """An exported file, read back by another reader, is not the model that was exported."""


class WorkerFailed(LikenessError):
    """A worker process died, hung or ran out of its limits; the session is untouched."""


class Cancelled(LikenessError):
    """The user cancelled; nothing changed."""

    def __init__(self, what: str = "Cancelled") -> None:
        super().__init__(what)

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return type(self), (self.what,)


class InvalidInput(LikenessError):
    """A parameter, stroke file, profile or setting is wrong."""
