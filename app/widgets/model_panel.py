"""What the printer would say: the verdict in large type, what to do about it, every check, and the model's numbers.

What does not live here: counting and judging (`model_check`, `preflight`, `intake`), rows (`check_list`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.operations.operation import operations
from app.operations.triage import PROBLEM, Finding
from app.preflight.checks.check import WARN, CheckResult
from app.preflight.counts import Counts
from app.preflight.profiles import profiles
from app.preflight.verdict import FAIL, NOTE, PASS
from app.settings import Settings
from app.widgets.check_list import CheckList, Row, measure
from app.widgets.marks import mark, set_role
from app.widgets.model_check import ModelCheck
from app.widgets.preflight import touching
from app.widgets.wall_view import WallView

if TYPE_CHECKING:
    from app.widgets.commands import ModelCommands
    from app.widgets.intake import Intake
    from app.widgets.place_view import PlaceView
    from app.widgets.preflight import Preflight

Mend = Callable[[str, Mapping[str, object]], object]

_MARGIN = 8
_VERDICT_SCALE = 1.7
_CUBIC_MM_PER_CM = 1000.0
_FOLDED = "checks/folded"
# Checks of walls are best seen as the heat map, not as a tint.
_SEEN_AS_WALLS = ("walls", "color_walls", "pins")
_SCALE = "scale_to_height"


class ModelPanel(QScrollArea):
    """Follows the intake and the preflight of a document.

    mend: carries out the fix of a finding: id of an operation, and values for it.
    """

    def __init__(
        self,
        document: Document,
        check: ModelCheck,
        intake: Intake,
        preflight: Preflight,
        places: PlaceView,
        walls: WallView,
        commands: ModelCommands,
        mend: Mend,
        actions: dict[str, QAction],
        settings: Settings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._check = document, check
        self._intake, self._preflight, self._places, self._walls = intake, preflight, places, walls
        self._mend = mend
        self._shown_counts: Counts | None = None
        self._walls_for_a_row = False  # shown because a row about walls was clicked, not because the user wants them
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._make_head(commands)
        self._make_buttons(actions)
        self._make_lists(settings)
        self._numbers = QFormLayout()
        self._numbers.setHorizontalSpacing(2 * _MARGIN)
        self._numbers.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._place_parts()
        for signal in (check.changed, intake.changed, preflight.changed):
            signal.connect(self.refresh)
        preflight.progressed.connect(self._show_progress)
        walls.changed.connect(lambda: self.walls_box.setChecked(walls.shown))
        document.profile_changed.connect(self._show_profile)
        self._show_profile()
        self.refresh()

    # The parts

    def _make_head(self, commands: ModelCommands) -> None:
        self.profile = QComboBox()
        self.profile.setToolTip("Printer profile\nWhat the model is checked and exported for")
        self.profile.setAccessibleName("Printer profile")
        self.profile.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.profile.activated.connect(lambda row: commands.set_profile(self.profile.itemData(row)))
        self.verdict = QLabel()
        font = self.verdict.font()
        font.setPointSizeF(font.pointSizeF() * _VERDICT_SCALE)
        font.setBold(True)
        self.verdict.setFont(font)
        self.verdict.setWordWrap(True)
        self.state = QLabel()
        self.state.setWordWrap(True)
        set_role(self.state, "")

    def _make_buttons(self, actions: dict[str, QAction]) -> None:
        self.clean_up = _button(actions["clean-up"])
        self.retarget = _button(actions["retarget"])
        self.height_button = _button(actions["set-height"])

    def _make_lists(self, settings: Settings) -> None:
        self.intake_list = CheckList("Mesh", lambda n: f"{n} {'note' if n == 1 else 'notes'}")
        self.checks = CheckList("Checks", lambda n: f"{n} passed")
        self.checks.set_folded(settings.get(_FOLDED, True))
        self.checks.folded.connect(lambda on: settings.set(_FOLDED, on))
        for each, choose, mend in (
            (self.intake_list, self._show_finding, self._mend_finding),
            (self.checks, self._show_result, self._mend_result),
        ):
            each.chosen.connect(choose)
            each.mended.connect(mend)
        self.walls_box = QCheckBox("Show wall thickness")
        self.walls_box.setToolTip("Wall thickness\nColours the model by how thick it is, in mm")
        self.walls_box.clicked.connect(self._want_walls)

    def _place_parts(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.setSpacing(_MARGIN)
        column.addWidget(self.profile)
        column.addWidget(self.verdict)
        column.addWidget(self.state)
        for button in (self.clean_up, self.retarget):
            column.addWidget(button)
        column.addWidget(self.intake_list)
        column.addWidget(self.checks)
        column.addWidget(self.walls_box)
        column.addLayout(self._numbers)
        row = QHBoxLayout()
        row.addWidget(self.height_button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        self.setWidget(content)

    # What they show

    def refresh(self) -> None:
        """Show what is known now."""
        counts, there = self._check.counts, self._document.mesh is not None
        self._show_verdict()
        self._show_intake()
        results = self._preflight.results
        rows = [self._check_row(result) for result in results]
        loud = sorted((row for row in rows if row.status != PASS), key=lambda row: row.status != FAIL)
        self.checks.show_rows(loud, [row for row in rows if row.status == PASS])
        self.checks.setVisible(bool(rows))
        by_id = {result.id: result for result in results}
        triangles = by_id.get("triangles")
        self.retarget.setVisible(triangles is not None and triangles.status != PASS)
        self.clean_up.setVisible(any(finding.safe for finding in self._intake.problems))
        self.walls_box.setVisible(there)
        self.height_button.setVisible(there)
        self._show_numbers(counts)

    def _show_verdict(self) -> None:
        preflight = self._preflight
        results = preflight.results
        status = preflight.status
        if self._document.mesh is None or not results:
            text = "Nothing open" if self._document.mesh is None else "Counting…"
        else:
            text = headline(status, results)
        self.verdict.setText(text)
        set_role(self.verdict, status)
        self.state.setText(self._freshness() if results else "")
        self.state.setVisible(bool(self.state.text()))

    def _freshness(self) -> str:
        """How far the verdict can be trusted; nothing where it is up to date."""
        preflight = self._preflight
        if preflight.current:
            return ""
        if preflight.failure is not None:
            return f"Walls and crossings could not be checked: {preflight.failure}"
        if preflight.busy:
            return "Checking walls and crossings…"
        if preflight.report is None:
            return "Walls and crossings are checked when the hand rests"
        return "The model changed: walls and crossings are checked again when the hand rests"

    def _show_progress(self, part: float) -> None:
        if not self._preflight.current and self._preflight.results:
            self.state.setText(f"Checking walls and crossings… {100 * part:.0f} %")

    def _show_intake(self) -> None:
        findings = self._intake.findings
        if findings is None:
            self.intake_list.show_rows([], [], "being looked at…" if self._intake.busy else "")
            self.intake_list.setVisible(self._intake.busy)
            return
        problems = self._intake.problems
        quiet = [finding for finding in findings if finding not in problems]
        summary = "" if problems else "nothing to mend"
        self.intake_list.show_rows(
            [_finding_row(finding, number) for number, finding in enumerate(findings) if finding in problems],
            [_finding_row(finding, number) for number, finding in enumerate(findings) if finding in quiet],
            summary,
        )
        self.intake_list.setVisible(True)

    def _show_numbers(self, counts: Counts | None) -> None:
        if counts is self._shown_counts:
            return
        self._shown_counts = counts
        while self._numbers.rowCount():
            self._numbers.removeRow(0)
        for name, value in _numbers(counts) if counts else ():
            label = QLabel(value)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setWordWrap(True)
            quiet = QLabel(name)
            quiet.setProperty("role", "dim")
            self._numbers.addRow(quiet, label)

    def _show_profile(self) -> None:
        known = profiles()
        self.profile.clear()
        for profile in known.values():
            self.profile.addItem(profile.label, profile.id)
        self.profile.setCurrentIndex(self.profile.findData(self._document.profile.id))

    def _check_row(self, result: CheckResult) -> Row:
        status = NOTE if result.status == WARN else result.status
        fix = result.fix if status != PASS else ""
        # What is in order says how much there is, or what it is where nothing was measured: "PNG".
        measured = status != PASS or result.limit is not None or bool(result.unit)
        return Row(
            result.id,
            status,
            result.label,
            measure(result.value, result.limit, result.unit) if measured else "",
            "" if status == PASS and measured else _sentence(result.message),
            result.where is not None,
            "Fix…" if _asks(fix) else "Fix" if fix else "",
            _fix_tooltip(fix),
            self._preflight.is_current(result),
        )

    # What a click does

    def _show_result(self, result_id: str) -> None:
        result = next((each for each in self._preflight.results if each.id == result_id), None)
        mesh = self._document.mesh
        if result is None or result.where is None or mesh is None:
            return
        where = result.where
        if result_id in _SEEN_AS_WALLS:
            self._walls_for_a_row |= not self._walls.shown
            self._walls.set_shown(True)
            self._places.show(result_id, np.array(where.point_mm), where.radius_mm, None)
            return
        self._leave_walls()
        triangles = where.triangles if len(where.triangles) else touching(mesh, where.vertices)
        self._places.show(result_id, np.array(where.point_mm), where.radius_mm, triangles)

    def _show_finding(self, row_id: str) -> None:
        finding = self._finding(row_id)
        if finding is not None and finding.point is not None:
            self._leave_walls()
            self._places.show(f"intake {row_id}", finding.point, 0.0, finding.triangles)

    def _want_walls(self, on: bool) -> None:
        self._walls_for_a_row = False
        self._walls.set_shown(on)

    def _leave_walls(self) -> None:
        """A tint is hard to see among the colours of walls; those that the user asked for stay."""
        if self._walls_for_a_row:
            self._want_walls(False)

    def _mend_result(self, result_id: str) -> None:
        result = next((each for each in self._preflight.results if each.id == result_id), None)
        if result is not None:
            self._mend(result.fix, {"minimum": result.limit} if result.fix == "thicken" and result.limit else {})

    def _mend_finding(self, row_id: str) -> None:
        finding = self._finding(row_id)
        if finding is not None:
            self._mend(finding.fix, finding.values)

    def _finding(self, row_id: str) -> Finding | None:
        findings = self._intake.findings or []
        number = int(row_id)
        return findings[number] if number < len(findings) else None


def headline(status: str, results: tuple[CheckResult, ...]) -> str:
    """The verdict in a few words, with its mark."""
    fails = sum(result.status == FAIL for result in results)
    notes = sum(result.status == WARN for result in results)
    if status == FAIL:
        text = "1 thing to mend" if fails == 1 else f"{fails} things to mend"
    elif status == NOTE:
        text = "Ready, with 1 note" if notes == 1 else f"Ready, with {notes} notes"
    elif status == PASS:
        text = "Ready to print"
    else:
        return "Good so far"
    return f"{mark(status)} {text}"


def _finding_row(finding: Finding, number: int) -> Row:
    status = FAIL if finding.severity == PROBLEM else NOTE
    return Row(
        str(number),
        status,
        finding.label,
        f"{finding.count:,}" if finding.count > 1 else "",
        finding.message,
        finding.point is not None,
        "Fix…" if _asks(finding.fix) else "Fix" if finding.fix else "",
        _fix_tooltip(finding.fix),
    )


def _asks(fix: str) -> bool:
    return fix == _SCALE


def _fix_tooltip(fix: str) -> str:
    operation = operations().get(fix)
    return "" if operation is None else f"{operation.label}\n{operation.tooltip}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _button(action: QAction) -> QPushButton:
    """A button that does what an action does, and says what it says."""
    button = QPushButton()
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def follow() -> None:
        button.setText(action.iconText() + ("…" if action.text().endswith("…") else ""))
        button.setToolTip(action.toolTip())
        button.setEnabled(action.isEnabled())

    button.clicked.connect(action.trigger)
    action.changed.connect(follow)
    follow()
    return button


def _numbers(counts: Counts) -> list[tuple[str, str]]:
    x, y, z = counts.size_mm
    rows = [
        ("Height", f"{z:.1f} mm"),
        ("Width × depth", f"{x:.1f} × {y:.1f} mm"),
        ("Triangles", f"{counts.triangles:,}"),
        ("Vertices", f"{counts.vertices:,}"),
        ("Shells", f"{counts.shells:,}"),
        ("Open edges", f"{counts.open_edges:,}"),
        ("Non-manifold", f"{counts.non_manifold_edges:,}"),
    ]
    if counts.watertight:
        rows.append(("Volume", f"{abs(counts.volume_mm3) / _CUBIC_MM_PER_CM:.1f} cm³"))
    return rows
