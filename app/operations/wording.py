"""Sentences about how many of something an operation did."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 hole", "12 holes"; many: the plural where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def said(*entries: tuple[int, str, str]) -> list[str]:
    """A sentence for each (count, noun, rest) whose count is not zero."""
    return [f"{counted(count, noun)} {rest}" for count, noun, rest in entries if count]
