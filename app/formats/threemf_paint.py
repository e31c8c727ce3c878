"""What a 3MF's property resources look like: one table of colours and texture coordinates for the whole model.

What lives here: colour groups, base and composite materials, texture groups, multiproperties. What does not: geometry.
3MF Materials and Properties Extension 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.errors import LimitExceeded
from app.formats.images import read_texture_or_note
from app.formats.registry import Limits
from app.formats.threemf_library import (
    attachment_bytes,
    get_all,
    layer_properties,
    library,
    library_error,
    property_ids,
)
from app.mesh.soup import Material, Soup, Texture

PLAIN, BASE, COLOR, TEXTURE = range(4)
# Triangles beside textured ones get materials of one colour each, at most so many.
_MOST_FLAT_COLORS = 256


@dataclass
class _Group:
    """Where a resource's properties stand in the table. ids: (n,) uint32 ascending; slots: (n,) int32."""

    ids: np.ndarray
    slots: np.ndarray

    def find(self, wanted: np.ndarray) -> np.ndarray:
        """int32 slots of property ids, any shape; 0 for an id that the group does not have."""
        if not len(self.ids):
            return np.zeros(wanted.shape, np.int32)
        first, last = self.ids[0], self.ids[-1]
        if last - first == len(self.ids) - 1:  # without gaps, as lib3mf numbers them
            place = np.clip(wanted, first, last) - first
        else:
            place = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[place] == wanted, self.slots[place], 0).astype(np.int32)


@dataclass
class Paint:
    """The table. A corner's paint is a slot, an index into it; slot 0 is unpainted white."""

    model: Any
    limits: Limits
    notes: list[str]
    kind: list[np.ndarray] = field(default_factory=lambda: [np.zeros(1, np.uint8)])
    color: list[np.ndarray] = field(default_factory=lambda: [np.ones((1, 3), np.float32)])
    uv: list[np.ndarray] = field(default_factory=lambda: [np.zeros((1, 2), np.float32)])
    material: list[np.ndarray] = field(default_factory=lambda: [np.zeros(1, np.int16)])
    materials: list[Material] = field(default_factory=list)
    _count: int = 1
    _groups: dict[int, _Group] = field(default_factory=dict)
    _images: dict[str, Texture | None] = field(default_factory=dict)

    def slots(self, properties: np.ndarray) -> np.ndarray:
        """(T, 3) int32 slots of (T, 4) uint32 triangle properties: resource, then one property per corner."""
        slots = np.zeros((len(properties), 3), np.int32)
        resources = properties[:, 0]
        for resource in np.unique(resources).tolist():
            if not resource:
                continue
            rows = slice(None) if (resources == resource).all() else np.flatnonzero(resources == resource)
            slots[rows] = self._group(resource).find(properties[rows, 1:])
        return slots

    def _group(self, resource: int) -> _Group:
        if resource not in self._groups:
            self._groups[resource] = _Group(np.empty(0, np.uint32), np.empty(0, np.int32))  # ends a circle of layers
            try:
                self._groups[resource] = self._read(resource)
            except library_error():
                self.notes.append("A colour or texture of the file could not be read and was left out.")
        return self._groups[resource]

    def _read(self, resource: int) -> _Group:
        kinds = library().PropertyType
        kind = self.model.GetPropertyTypeByID(resource)
        if kind == kinds.Colors:
            return self._colors(self.model.GetColorGroupByID(resource), "colorgroup", COLOR)
        if kind == kinds.BaseMaterial:
            return self._colors(self.model.GetBaseMaterialGroupByID(resource), "basematerialgroup", BASE)
        if kind == kinds.Composite:
            return self._composites(self.model.GetCompositeMaterialsByID(resource))
        if kind == kinds.TexCoord:
            return self._texture(self.model.GetTexture2DGroupByID(resource))
        if kind == kinds.Multi:
            return self._layers(self.model.GetMultiPropertyGroupByID(resource))
        return self._groups[resource]

    def _add(self, ids: np.ndarray, kind: int, color: np.ndarray, uv: np.ndarray, material: int) -> _Group:
        count = len(ids)
        self.kind.append(np.full(count, kind, np.uint8))
        self.color.append(np.broadcast_to(color, (count, 3)).astype(np.float32))
        self.uv.append(np.broadcast_to(uv, (count, 2)).astype(np.float32))
        self.material.append(np.full(count, material, np.int16))
        self._count += count
        order = np.argsort(ids, kind="stable")
        return _Group(ids[order], (self._count - count + order).astype(np.int32))

    def _colors(self, group: Any, name: str, kind: int) -> _Group:
        ids = property_ids(group, f"lib3mf_{name}_getallpropertyids")
        entry = f"lib3mf_{name}_{'getcolor' if kind == COLOR else 'getdisplaycolor'}"
        rgba = get_all(group, entry, ids, np.uint8, 4)
        return self._add(ids, kind, rgba[:, :3] / np.float32(255), np.zeros(2), 0)

    def _composites(self, group: Any) -> _Group:
        """Mixed display colours; how inks really mix is the printer's secret."""
        ids = property_ids(group, "lib3mf_compositematerials_getallpropertyids")
        if len(ids) > self.limits.nodes:
            raise LimitExceeded(f"mixes {len(ids):,} materials", "", "Use a colour group in place of them")
        base = group.GetBaseMaterialGroup()
        colors = np.ones((len(ids), 3), np.float32)
        for place, identity in enumerate(ids.tolist()):
            parts = group.GetComposite(identity)
            weight = sum(part.MixingRatio for part in parts)
            if weight > 0:
                shown = [base.GetDisplayColor(part.PropertyID) for part in parts]
                mixed = [(c.Red * p.MixingRatio, c.Green * p.MixingRatio, c.Blue * p.MixingRatio)
                         for c, p in zip(shown, parts, strict=True)]  # fmt: skip
                colors[place] = np.sum(mixed, axis=0) / (255.0 * weight)
        return self._add(ids, BASE, colors, np.zeros(2), 0)

    def _texture(self, group: Any) -> _Group:
        ids = property_ids(group, "lib3mf_texture2dgroup_getallpropertyids")
        uv = get_all(group, "lib3mf_texture2dgroup_gettex2coord", ids, np.float64, 2)
        texture = group.GetTexture2D()
        attachment = texture.GetAttachment()
        name = attachment.GetPath()
        if name not in self._images:
            label = name.rsplit("/", 1)[-1]
            self._images[name] = read_texture_or_note(attachment_bytes(attachment), label, self.limits, self.notes)
        image = self._images[name]
        style = texture.GetTileStyleUV()[0]
        wrap = "repeat" if int(style) in (0, 1) else "clamp"
        self.materials.append(Material(name.rsplit("/", 1)[-1], texture=image, wrap=wrap))
        return self._add(ids, TEXTURE, np.ones(3), np.nan_to_num(uv), len(self.materials) - 1)

    def _layers(self, group: Any) -> _Group:
        """Of several layers the one that is seen best: a texture before a colour before a material."""
        layers = [self._group(group.GetLayer(number).ResourceID) for number in range(group.GetLayerCount())]
        kinds = np.concatenate(self.kind)
        seen = [kinds[layer.slots[0]] if len(layer.slots) else PLAIN for layer in layers]
        ids = property_ids(group, "lib3mf_multipropertygroup_getallpropertyids")
        if not layers:
            return _Group(ids, np.zeros(len(ids), np.int32))
        number = int(np.argmax(seen))
        slots = layers[number].find(layer_properties(group, ids, len(layers))[:, number])
        order = np.argsort(ids, kind="stable")
        return _Group(ids[order], slots[order])

    def apply(self, soup: Soup, slots: np.ndarray) -> None:
        """Give a soup its colours, textures or materials. slots: (T, 3) int32."""
        kind = np.concatenate(self.kind)[slots[:, 0]]
        table = np.concatenate(self.color)
        if (kind == TEXTURE).any():
            soup.uv, soup.corner_uv = np.concatenate(self.uv), slots
            soup.triangle_material = np.concatenate(self.material)[slots[:, 0]]
            flat = np.flatnonzero(kind != TEXTURE)
            soup.materials, numbers = _flat_materials(table[slots[flat]].mean(axis=1), self.materials)
            soup.triangle_material[flat] = numbers
        elif (kind == COLOR).any():
            _paint_vertices(soup, slots, table)
        elif (kind == BASE).any():
            soup.materials, numbers = _flat_materials(table[slots].mean(axis=1), [])
            soup.triangle_material = numbers


def _flat_materials(colors: np.ndarray, before: list[Material]) -> tuple[list[Material], np.ndarray]:
    """Materials of one colour each for (n, 3) colours, after those given; and the number of each colour's material."""
    eight = np.rint(colors * 255).astype(np.int64)
    for bits in range(8):
        coarse = (eight >> bits) << bits
        keys, first, place = np.unique(coarse @ np.array([1, 256, 65536]), return_index=True, return_inverse=True)
        if len(keys) <= _MOST_FLAT_COLORS:
            break
    added = [Material(f"color {n + 1}", tuple((eight[k] / 255.0).tolist())) for n, k in enumerate(first)]
    return [*before, *added] or [Material()], (place + len(before)).astype(np.int16)


def _paint_vertices(soup: Soup, slots: np.ndarray, table: np.ndarray) -> None:
    """Colours per vertex where all corners agree, else on vertices that no triangles share."""
    of_vertex = np.zeros(len(soup.positions), np.int32)
    of_vertex[soup.triangles] = slots
    if (of_vertex[soup.triangles] == slots).all():
        soup.colors = table[of_vertex]
        return
    soup.positions = soup.positions[soup.triangles.ravel()]
    soup.triangles = np.arange(len(soup.positions), dtype=np.int32).reshape(-1, 3)
    soup.colors = table[slots.ravel()]
