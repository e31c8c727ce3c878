"""Verdicts in words, marks and colours: never a colour alone."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from app.preflight.check import FAIL, NOTE, PASS

_MARKS = {PASS: "✓", NOTE: "!", FAIL: "✗"}
_ROLES = {PASS: "pass", NOTE: "warning", FAIL: "fail"}


def mark(status: str) -> str:
    """The sign for "pass", "note" or "fail"."""
    return _MARKS.get(status, "")


def set_role(label: QLabel, status: str) -> None:
    """Colour a label by a verdict, or like ordinary quiet text for any other status. The theme knows the colours."""
    role = _ROLES.get(status, "dim")
    if label.property("role") != role:
        label.setProperty("role", role)
        label.style().unpolish(label)
        label.style().polish(label)
