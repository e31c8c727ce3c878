"""What changed in a document since the last look, as `Changes`. It runs on the thread that sculpts, so it is fast."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from app.mesh.mesh import Mesh
from app.project.changes import Changes, CommittedState, PhotoRecord
from app.project.content import ProjectContent
from app.project.whole import Numbers, add_steps, record_of
from app.sculpt.history import AttributeStep, MeshStep, Step
from app.sculpt.packed import step_differences
from app.sculpt.recorder import columns_of

if TYPE_CHECKING:
    from app.document import Document


class EventsMissed(Exception):
    """More happened than one event tells: only the whole will do."""


class Follower:
    """Knows what the working copy has been given so far.

    takes: what it gives is written, so the mesh may forget that it was unsaved. One follower of a document does.
    """

    def __init__(self, document: Document, *, takes: bool = True) -> None:
        self._document, self._takes = document, takes
        self._numbers = Numbers()
        self._epoch = -1
        self._known: list[Step] = []
        self._mesh_steps: dict[MeshStep, Mesh] = {}  # and the mesh that each was last seen to keep

    def adopt(self, content: ProjectContent) -> None:
        """Everything of a project that was opened is in the working copy already."""
        if self._document.mesh is not content.mesh:
            raise ValueError("the document has to be given the content first")
        self._epoch = self._document.history.epoch
        self._numbers = Numbers(content.stored)
        self._known = list(content.steps)
        self._mesh_steps = {step: step.kept for step in content.steps if isinstance(step, MeshStep)}

    def is_opening(self) -> bool:
        """Whether the document is on its way to another figurine: its history is not the one that is followed."""
        return self._document.mesh is None or self._document.history.epoch != self._epoch

    def changes(self) -> Changes | None:
        """What one event of the history brought; None while another figurine is being opened. Raises EventsMissed."""
        history, mesh, known = self._document.history, self._document.mesh, self._known
        if mesh is None or self.is_opening():
            return None
        steps, changes = history.steps, Changes()
        added, gone = _compared(known, steps)
        if len(added) > 1 or (added and history.position != len(steps)):
            raise EventsMissed
        for step in added:
            record = changes.steps[step.number] = record_of(step)
            if isinstance(step, AttributeStep):
                record.parts += step_differences(step, mesh)
        changes.dropped_steps.update(step.number for step in gone)
        self._follow_meshes(added, gone, mesh, changes)
        self._known = steps
        self._finish(changes, mesh)
        return changes

    def whole(self) -> Changes | None:
        """Everything there is, with copies; None if it changed meanwhile, or is changing. May run on any thread."""
        document, changes, numbers = self._document, Changes(whole=True), Numbers()
        history, mesh = document.history, document.mesh
        stamp = history.stamp
        if stamp is None or mesh is None:
            return None
        steps = history.steps
        if self._takes:
            _forget_unsaved(mesh, steps)  # first: what is written from here on makes this attempt void
        numbers.add(mesh, changes)
        add_steps(steps, history.position, mesh, numbers, changes)
        changes.photos = [PhotoRecord.of(photo) for photo in document.photos]
        self._epoch, self._numbers, self._known = history.epoch, numbers, steps
        self._mesh_steps = {step: step.kept for step in steps if isinstance(step, MeshStep)}
        self._finish(changes, mesh)
        return changes if history.stamp == stamp else None

    def _follow_meshes(self, added: list[Step], gone: list[Step], mesh: Mesh, changes: Changes) -> None:
        if gone:
            self._mesh_steps = {step: kept for step, kept in self._mesh_steps.items() if step not in gone}
        for step in added:
            if isinstance(step, MeshStep):
                self._mesh_steps[step] = step.kept
                changes.steps[step.number].mesh = self._number(step.kept, changes)
        for step, kept in self._mesh_steps.items():
            if step.kept is not kept:
                changes.kept[step.number] = self._number(step.kept, changes)
                self._mesh_steps[step] = step.kept
        live = [mesh, *self._mesh_steps.values()]
        for other in live:
            number = self._number(other, changes)
            for attribute in other.unsaved:
                _add_pages(other, number, attribute, changes)
        if len(live) < len(self._numbers.meshes):
            self._numbers.keep_only(live, changes)

    def _number(self, mesh: Mesh, changes: Changes) -> int:
        number = self._numbers.of(mesh)
        if number is not None:
            return number
        _forget_unsaved(mesh, [])
        return self._numbers.add(mesh, changes)

    def _finish(self, changes: Changes, mesh: Mesh) -> None:
        history, now = self._document.history, time.time()
        position, steps = history.position, self._known
        last = steps[position - 1].number if position else None
        changes.state = CommittedState(last, len(steps), position, now)
        changes.meta.update(
            position=position, mesh=self._numbers.of(mesh), triangles=mesh.triangle_count, changed_at=now
        )


def project_meta(document: Document) -> dict[str, Any]:
    """What is stored of a document beside its mesh, steps and photos."""
    return {
        "project_id": document.project_id,
        "project_path": str(document.project_path) if document.project_path else None,
        "job": document.job,
        "unsaved": document.modified,
    }


def _compared(known: list[Step], steps: list[Step]) -> tuple[list[Step], list[Step]]:
    """Steps that are new, and steps that are gone."""
    if steps[:-1] == known:  # by far the most frequent: one more
        return steps[-1:], []
    if steps == known:
        return [], []
    before, after = set(known), set(steps)
    return [step for step in steps if step not in before], [step for step in known if step not in after]


def _forget_unsaved(mesh: Mesh, steps: list[Step]) -> None:
    for other in (mesh, *(step.kept for step in steps if isinstance(step, MeshStep))):
        for attribute in other.unsaved:
            other.take_unsaved(attribute)


def _add_pages(mesh: Mesh, number: int, attribute: str, changes: Changes) -> None:
    pages = mesh.take_unsaved(attribute).tolist()
    if pages:
        values, offsets = columns_of(mesh, attribute), mesh.chunks.vertex_offsets
        for page in pages:
            changes.pages[number, attribute, page] = values[offsets[page] : offsets[page + 1]].copy()
