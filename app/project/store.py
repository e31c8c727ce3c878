"""The one place that speaks SQL about content: rows in, rows out. What the values mean is told in `reading`.

    meta      key -> JSON: project_id, position, mesh (the one in hand), triangles, job, thumbnail, unsaved, ...
    blobs     photos, textures and thumbnails as they came, by their SHA-256
    arrays    what strokes never change, packed; meshes made from each other share them
    meshes    one record each: the mesh in hand, and those that steps keep
    pages     the present values of all that strokes write of each mesh, 1024 vertices to a page; face sets and hidden
              parts have pages only where there are any
    steps     the history, oldest first by number; `changes` has the differences of each, direction-free
    photos    records and places

Every transaction leads from one whole state to the next, so whatever cuts it short, the state before is there.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.project.changes import Changes, MeshRecord, PackedArray, PhotoRecord, StepRecord, materials_to_json
from app.sculpt.packed import PackedPart

ATTRIBUTES_STEP, MESH_STEP = "changes", "mesh"


class Store:
    """A project in an open database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._blob_ids: dict[int, tuple[bytes, str]] = {}

    # Writing

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and on disk when it is left."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # A full disk has rolled it back already.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def apply(self, changes: Changes) -> None:
        """Write packed changes in one transaction. Doing it twice does no harm."""
        with self.transaction():
            execute, many = self.connection.execute, self.connection.executemany
            for number, array in changes.arrays.items():
                assert isinstance(array, PackedArray)
                row = (number, array.dtype, json.dumps(array.shape), array.data)
                execute("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?)", row)
            for number, mesh in changes.meshes.items():
                execute("INSERT OR REPLACE INTO meshes VALUES (?, ?)", (number, self._mesh_json(mesh)))
            for number in changes.dropped_meshes:
                execute("DELETE FROM meshes WHERE id = ?", (number,))
                execute("DELETE FROM pages WHERE mesh = ?", (number,))
            many(
                "INSERT INTO pages VALUES (?, ?, ?, ?)"
                " ON CONFLICT (mesh, attribute, page) DO UPDATE SET data = excluded.data",
                ((*page, data) for page, data in changes.pages.items()),
            )
            for table, column in (("steps", "number"), ("changes", "step")):
                gone = ((number,) for number in changes.dropped_steps)
                many(f"DELETE FROM {table} WHERE {column} = ?", gone)
            for step in changes.steps.values():
                self._put_step(step)
            many("UPDATE steps SET mesh = ? WHERE number = ?", ((mesh, step) for step, mesh in changes.kept.items()))
            meta = dict(changes.meta)
            if changes.photos is not None:
                self._put_photos(changes.photos)
            if changes.thumbnail is not None:
                meta["thumbnail"] = self._put_blob(changes.thumbnail) if changes.thumbnail else None
            self.set_meta(meta)
            if changes.dropped_meshes or changes.photos is not None or changes.thumbnail is not None:
                self._drop_unused()

    def set_meta(self, values: dict[str, Any]) -> None:
        """Store JSON values by key."""
        rows = ((key, json.dumps(value)) for key, value in values.items())
        self.connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def _put_step(self, step: StepRecord) -> None:
        kind = ATTRIBUTES_STEP if step.mesh is None else MESH_STEP
        row = (step.number, step.label, step.made_at, step.vertices, kind, step.mesh)
        self.connection.execute("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?)", row)
        for part in step.parts:
            assert isinstance(part, PackedPart)
            values = (step.number, part.attribute, part.count, part.vertices, part.differences)
            self.connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?)", values)

    def _put_photos(self, photos: list[PhotoRecord]) -> None:
        self.connection.execute("DELETE FROM photos")
        for place, photo in enumerate(photos):
            row = (place, json.dumps(photo.record), self._put_blob(photo.encoded))
            self.connection.execute("INSERT INTO photos VALUES (?, ?, ?)", row)
        kept = {id(photo.encoded) for photo in photos}
        self._blob_ids = {key: value for key, value in self._blob_ids.items() if key in kept}

    def _put_blob(self, data: bytes) -> str:
        # Told apart by the object first: a photo of megabytes is not hashed again whenever its view changes.
        known = self._blob_ids.get(id(data))
        if known is None:
            known = self._blob_ids[id(data)] = (data, hashlib.sha256(data).hexdigest())
        if self.connection.execute("SELECT 1 FROM blobs WHERE id = ?", (known[1],)).fetchone() is None:
            self.connection.execute("INSERT INTO blobs VALUES (?, ?)", (known[1], data))
        return known[1]

    def _mesh_json(self, mesh: MeshRecord) -> str:
        encoded = [material.texture.encoded for material in mesh.materials if material.texture is not None]
        blob_of = {id(data): self._put_blob(data) for data in encoded}
        values = {
            "vertex_count": mesh.vertex_count,
            "page_vertices": mesh.page_vertices,
            "arrays": mesh.arrays,
            "attributes": mesh.attributes,
            "materials": materials_to_json(mesh.materials, blob_of),
        }
        return json.dumps(values)

    def _drop_unused(self) -> None:
        """Delete arrays and blobs that nothing names any more; SQLite uses their room again."""
        arrays: set[int] = set()
        blobs = {row[0] for row in self.connection.execute("SELECT blob FROM photos")}
        blobs.add(self.meta().get("thumbnail"))
        for _, record in self.meshes():
            arrays.update(record["arrays"].values())
            textures = (material.get("texture") for material in record["materials"])
            blobs.update(texture["blob"] for texture in textures if texture)
        for table, used in (("arrays", arrays), ("blobs", blobs)):
            stored = {row[0] for row in self.connection.execute(f"SELECT id FROM {table}")}
            unused = ((number,) for number in stored - used)
            self.connection.executemany(f"DELETE FROM {table} WHERE id = ?", unused)

    # Reading: rows as they are. Whoever reads a file from elsewhere checks types and ranges.

    def meta(self) -> dict[str, Any]:
        """All JSON values by key. Raises ValueError and RecursionError for what is no JSON."""
        return {key: json.loads(value) for key, value in self.connection.execute("SELECT key, value FROM meta")}

    def meshes(self) -> list[tuple[Any, Any]]:
        """(id, record from JSON) of each mesh."""
        rows = self.connection.execute("SELECT id, record FROM meshes ORDER BY id")
        return [(number, json.loads(record)) for number, record in rows]

    def array(self, number: int) -> tuple[Any, ...] | None:
        """(dtype, shape as JSON, data) of an array."""
        return self.connection.execute("SELECT dtype, shape, data FROM arrays WHERE id = ?", (number,)).fetchone()

    def pages(self, mesh: int, attribute: str) -> Iterator[tuple[Any, Any]]:
        """(page, data) of one attribute, ascending."""
        query = "SELECT page, data FROM pages WHERE mesh = ? AND attribute = ? ORDER BY page"
        return self.connection.execute(query, (mesh, attribute))

    def steps(self) -> Iterator[tuple[Any, ...]]:
        """(number, label, made_at, vertices, kind, mesh) of each step, oldest first."""
        return self.connection.execute("SELECT number, label, made_at, vertices, kind, mesh FROM steps ORDER BY number")

    def changes(self) -> Iterator[tuple[Any, ...]]:
        """(step, attribute, count, vertices, differences) of all steps, in their order."""
        query = "SELECT step, attribute, count, vertices, differences FROM changes ORDER BY step, attribute"
        return self.connection.execute(query)

    def photos(self) -> list[tuple[Any, Any]]:
        """(record as JSON, blob id) of each photo in its place."""
        return self.connection.execute("SELECT record, blob FROM photos ORDER BY place").fetchall()

    def blob(self, number: Any) -> Any:
        """The bytes of a blob, None if there is none."""
        row = self.connection.execute("SELECT data FROM blobs WHERE id = ?", (number,)).fetchone()
        return row[0] if row else None

    def thumbnail(self) -> Any:
        """The thumbnail's bytes, None if there is none."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = 'thumbnail'").fetchone()
        name = json.loads(row[0]) if row else None
        return self.blob(name) if isinstance(name, str) else None
