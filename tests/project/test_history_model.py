"""Strokes, undo, whole-mesh steps, photos, save, reload, recovery and failing disks in any order, beside a model.

The model keeps full copies of every state; it and the program are always equal, to the bit.
"""

from __future__ import annotations

import copy
import errno
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.document import Document
from app.mesh.mesh import Mesh
from app.project.content import ProjectContent
from app.project.opening import open_project
from app.project.sessions import Session, recoverable, sessions_folder
from app.project.working_copy import WorkingCopy
from tests.crash import moves
from tests.crash.states import ARRAYS

_SEGMENTS = 72  # 2,500 vertices: three pages of each attribute
_WAIT_SECONDS = 60.0
_LARGE_LIMIT, _SMALL_LIMIT = 1 << 28, 150_000

SEEDS = st.integers(0, 10**6)
BRUSHES = st.sampled_from(("draw", "inflate", "smooth", "crease", "clay", "flatten", "pinch", "grab", "mask"))


@dataclass
class Model:
    """Every state there is, in full. states: one more than there are steps. saved: the same, by project file."""

    states: list[dict[str, Any]]
    steps: list[tuple[Any, ...]] = field(default_factory=list)
    position: int = 0
    photos: list[tuple[Any, ...]] = field(default_factory=list)

    def did(self, state: dict[str, Any], step: tuple[Any, ...]) -> None:
        """One step more; those that were undone are gone."""
        del self.states[self.position + 1 :], self.steps[self.position :]
        self.states.append(state)
        self.steps.append(step)
        self.position += 1

    def dropped(self, count: int) -> None:
        """So many of the oldest steps are gone."""
        del self.states[:count], self.steps[:count]
        self.position -= count


def full(mesh: Mesh | None) -> dict[str, Any]:
    """A copy of everything in a mesh that is not derived from the rest."""
    assert mesh is not None
    arrays = {name: getattr(mesh, name) for name in ARRAYS}
    state: dict[str, Any] = {
        name: None if array is None else (array.dtype.str, array.shape, array.tobytes())
        for name, array in arrays.items()
    }
    state["materials"] = [
        (material.name, tuple(material.base_color), material.wrap, texture and (texture.encoded, texture.mime))
        for material in mesh.materials
        for texture in [material.texture]
    ]
    return state


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What is not the same in two states."""
    return [name for name in one if one[name] != other[name]]


def photos_of(document: Document) -> list[tuple[Any, ...]]:
    return [(photo.id, photo.name, photo.encoded, photo.view) for photo in document.photos]


def steps_of(document: Document) -> list[tuple[Any, ...]]:
    return [(step.number, step.label, step.made_at, step.vertices) for step in document.history.steps]


class ProjectMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="likeness-model-"))
        self.home_before = os.environ.get("LIKENESS_HOME")
        os.environ["LIKENESS_HOME"] = str(self.folder / "home")
        self.saved: dict[Path, Model] = {}
        self.full_disk = False
        self.copies = 0

    @initialize()
    def open_base_mesh(self) -> None:
        self.document = moves.open_document(moves.textured_ball(_SEGMENTS), self.folder / "ball.glb", _LARGE_LIMIT)
        self.model = Model([full(self.document.mesh)])
        self.session = Session.begin()
        self.copy = WorkingCopy(self.document, self.session)
        self.copy.begin()

    # Steps

    @rule(seed=SEEDS, brush=BRUSHES)
    def stroke(self, seed: int, brush: str) -> None:
        self._step(lambda: moves.stroke(self.document, Random(seed), brush))

    @precondition(lambda self: self.document.mesh.colors is not None)
    @rule(seed=SEEDS)
    def paint(self, seed: int) -> None:
        self._step(lambda: moves.stroke(self.document, Random(seed), "paint"))

    @rule(invert=st.booleans())
    def mask(self, invert: bool) -> None:
        self._step(lambda: moves.write_mask(self.document, invert=invert))

    @rule(seed=SEEDS)
    def turn(self, seed: int) -> None:
        self._step(lambda: moves.turn(self.document, Random(seed)))

    @rule(seed=SEEDS)
    def height(self, seed: int) -> None:
        self._step(lambda: moves.set_height(self.document, Random(seed)))

    @rule()
    def ground(self) -> None:
        self._step(lambda: moves.place_on_ground(self.document))

    @rule()
    def colors_onto_vertices(self) -> None:
        self._step(lambda: moves.colors_onto_vertices(self.document))

    @rule(limit=st.sampled_from((_LARGE_LIMIT, _SMALL_LIMIT)))
    def limit_history(self, limit: int) -> None:
        history = self.document.history
        history.limit_bytes = limit
        self.model.dropped(len(self.model.steps) - len(history.steps))
        assert history.bytes <= limit or history.position <= 1

    def _step(self, act: Any) -> None:
        history, before = self.document.history, self.document.history.next_number
        act()
        if history.next_number == before:
            return  # nothing changed: no step
        made = steps_of(self.document)[-1]
        self.model.did(full(self.document.mesh), made)
        self.model.dropped(len(self.model.steps) - len(history.steps))
        assert history.bytes <= history.limit_bytes or history.position == 1

    # Through the history

    @rule()
    def undo(self) -> None:
        self.document.undo()
        self.model.position = max(self.model.position - 1, 0)

    @rule()
    def redo(self) -> None:
        self.document.redo()
        self.model.position = min(self.model.position + 1, len(self.model.steps))

    @rule(data=st.data())
    def go_to(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(0, len(self.model.steps)))
        self.document.go_to(position)
        self.model.position = position

    @rule()
    def there_and_back(self) -> None:
        """To the very beginning and the very end, each in one leap over all steps."""
        self.document.go_to(0)
        assert not differing(full(self.document.mesh), self.model.states[0])
        self.document.go_to(len(self.model.steps))
        self.model.position = len(self.model.steps)

    @rule(seed=SEEDS)
    def work_for_a_while(self, seed: int) -> None:
        """Many steps and leaps: what one step leaves behind may only show several later."""
        random = Random(seed)
        for _ in range(12):
            kind = random.choice(("stroke", "stroke", "stroke", "stroke", "mesh", "undo", "leap"))
            if kind == "stroke":
                self.stroke(random.randrange(10**6), random.choice(("draw", "inflate", "grab", "mask")))
            elif kind == "mesh":
                random.choice((self.colors_onto_vertices, self.ground, lambda: self.turn(random.randrange(9))))()
            elif kind == "undo":
                random.choice((self.undo, self.redo))()
            else:
                self.there_and_back()
            self.equal()

    # Photos

    @rule(seed=SEEDS)
    def add_or_remove_photo(self, seed: int) -> None:
        moves.add_photo(self.document, Random(seed))
        self.model.photos = photos_of(self.document)

    @rule(seed=SEEDS)
    def look_at_photo(self, seed: int) -> None:
        moves.look_at_photo(self.document, Random(seed))
        self.model.photos = photos_of(self.document)

    # Disks

    @precondition(lambda self: not self.full_disk)
    @rule()
    def disk_full(self) -> None:
        """From now on no commit succeeds."""
        assert self.copy.flush(_WAIT_SECONDS)

        def fail(changes: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        self.copy._writer._database.apply = fail
        self.full_disk = True

    @precondition(lambda self: self.full_disk)
    @rule()
    def space_again(self) -> None:
        self._free_disk()
        assert self.copy.flush(_WAIT_SECONDS)

    def _free_disk(self) -> None:
        if self.full_disk:
            del self.copy._writer._database.apply
            self.copy.retry_now()
            self.full_disk = False

    # Files

    @rule(name=st.sampled_from(("a", "b")))
    def save(self, name: str) -> None:
        """Save and Save As; works whatever the working copy's disk does."""
        path = self.folder / f"{name}.likeness"
        mark = self.document.mark()
        self.copy.save(path)
        self.document.saved(mark, path)
        self.saved[path] = copy.deepcopy(self.model)
        assert not self.document.modified

    @rule()
    def save_copy(self) -> None:
        path = self.folder / "copy.likeness"
        modified = self.document.modified
        self.copy.save_copy(path)
        self.saved[path] = copy.deepcopy(self.model)
        assert self.document.modified == modified

    @precondition(lambda self: self.saved)
    @rule(data=st.data())
    def reload(self, data: st.DataObject) -> None:
        """Open a project file in place of the work in hand."""
        path = data.draw(st.sampled_from(sorted(self.saved)))
        self._let_go()
        self._go_on(path, path)
        self.model = copy.deepcopy(self.saved[path])
        assert not self.document.modified
        self._walk()

    @rule()
    def lose_power(self) -> None:
        """What lies on the disk is found by the next start; the rest is gone."""
        self._free_disk()
        assert self.copy.flush(_WAIT_SECONDS)
        self.copies += 1
        dead = sessions_folder() / f"dead-{self.copies}"
        shutil.copytree(self.session.folder, dead)
        modified = self.document.modified
        self._let_go()
        found = recoverable()
        if modified:
            (left,) = found
            assert not left.damaged
            assert left.strokes == self.model.position
            self._go_on(left.working_path, left.project_path)
            assert self.document.modified
            left.discard()
        else:
            assert not found
            self._reopen_saved()
        assert not dead.exists()
        self._walk()

    def _reopen_saved(self) -> None:
        """Nothing was unsaved: the work is in its file, or there was none."""
        path = self.document.project_path
        if path is None:
            self.open_base_mesh()
        else:
            self._go_on(path, path)
            self.model = copy.deepcopy(self.saved[path])  # what can be undone there may be another history

    def _go_on(self, path: Path, project_path: Path | None) -> None:
        self.session = Session.begin()
        content: ProjectContent = open_project(path, self.session.working_path)
        assert not content.notes
        self.document.history.limit_bytes = _LARGE_LIMIT  # opening with a smaller one drops steps, as it should
        self.document.open_project(content, project_path)
        self.copy = WorkingCopy(self.document, self.session)
        self.copy.adopt(content)

    def _let_go(self) -> None:
        self._free_disk()
        assert self.copy.close(_WAIT_SECONDS)
        self.session.end()

    def _walk(self) -> None:
        """Every state of the history is there."""
        document, position = self.document, self.model.position
        for place, state in enumerate(self.model.states):
            document.go_to(place)
            assert not differing(full(document.mesh), state), f"at step {place} of {len(self.model.steps)}"
        document.go_to(position)

    # What always holds

    @invariant()
    def equal(self) -> None:
        document, model = self.document, self.model
        assert document.history.position == model.position
        assert steps_of(document) == model.steps
        assert not differing(full(document.mesh), model.states[model.position])
        assert photos_of(document) == model.photos

    def teardown(self) -> None:
        try:
            if hasattr(self, "copy"):
                self.lose_power()
                self.equal()
                self._let_go()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            if self.home_before is not None:
                os.environ["LIKENESS_HOME"] = self.home_before


TestProject = ProjectMachine.TestCase
TestProject.settings = settings(
    max_examples=int(os.environ.get("LIKENESS_MODEL_RUNS", "12")),
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
