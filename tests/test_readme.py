"""The README says what the program does: the table of brushes, and keys that exist."""

from __future__ import annotations

import importlib.util
import re

from app.sculpt.brush import brushes
from app.widgets.actions import specs
from app.widgets.keys_help import POINTER
from tests.conftest import REPOSITORY

README = REPOSITORY / "README.md"


def test_the_table_of_brushes_is_that_of_their_declarations():
    spec = importlib.util.spec_from_file_location("likeness_readme", REPOSITORY / "packaging" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = README.read_text("utf-8")
    assert module.renewed(text) == text, "Renew it: .venv/bin/python packaging/readme.py"
    for brush in brushes().values():
        (row,) = re.findall(rf"^\| {re.escape(brush.label)} \|.*$", text, re.MULTILINE)
        assert row.count("|") == 6
        assert f"| {brush.shortcut.replace('+', '-')} |".replace("|  |", "| |") in row


def test_the_keys_it_names_are_those_of_the_program():
    text = README.read_text("utf-8")
    rows = re.search(r"^\| key \| does \| key \| does \|\n\| -.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert rows is not None
    keys = {spec.key.replace("+", "-") for spec in specs() if spec.key}
    pointer = " ".join(key for key, _ in POINTER).lower()
    named = [cell for row in rows[1].splitlines() for cell in row.strip("| ").split(" | ")[::2]]
    assert len(named) > 10
    for cell in named:
        for name in re.split(r"[ ,`]+", cell.replace("Alt-left", "Alt + left").strip("` ")):
            held = name.lower().removeprefix("shift-") in pointer
            assert name in keys or held or name in ("+", "with", "Enter"), f"{name} in {cell}"
