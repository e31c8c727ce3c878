"""Writes glTF files for tests, by hand and from the specification alone: shares no line with the program's writer."""

from __future__ import annotations

import copy
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

_COMPONENTS = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}

# A tetrahedron: four corners, four triangles, closed, counter-clockwise from outside.
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint16)


class Glb:
    """JSON and a binary chunk in the making. `data` may be edited freely before saving."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": 0}]}
        self.binary = b""

    def add(self, kind: str, entry: dict[str, Any]) -> int:
        self.data.setdefault(kind, []).append(entry)
        return len(self.data[kind]) - 1

    def view(self, content: bytes, **more: Any) -> int:
        self.binary += b"\0" * (-len(self.binary) % 4)
        entry = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content), **more}
        self.binary += content
        return self.add("bufferViews", entry)

    def accessor(self, array: np.ndarray, **more: Any) -> int:
        array = np.asarray(array)
        width = 1 if array.ndim == 1 else array.shape[1]
        entry = {
            "bufferView": self.view(array.tobytes()),
            "componentType": _COMPONENTS[array.dtype.name],
            "count": len(array),
            "type": _KINDS[width],
        }
        return self.add("accessors", entry | more)

    def mesh(self, primitive: dict[str, Any], **more: Any) -> int:
        return self.add("meshes", {"primitives": [primitive]} | more)

    def scene(self, *nodes: dict[str, Any]) -> None:
        """Make these the nodes, all of them roots of the default scene."""
        self.data["nodes"] = list(nodes)
        self.data["scenes"] = [{"nodes": list(range(len(nodes)))}]

    def bytes(self) -> bytes:
        data = copy.deepcopy(self.data)
        if data.get("buffers") == [{"byteLength": 0}]:
            data["buffers"][0]["byteLength"] = len(self.binary)
        text = json.dumps(data).encode()
        text += b" " * (-len(text) % 4)
        binary = self.binary + b"\0" * (-len(self.binary) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def save(self, folder: Path, name: str = "model.glb") -> Path:
        path = folder / name
        path.write_bytes(self.bytes())
        return path


def tetrahedron(**primitive: Any) -> Glb:
    """One tetrahedron in one node; more keys of its primitive may be given."""
    glb = Glb()
    attributes = {"POSITION": glb.accessor(CORNERS)}
    indices = glb.accessor(TRIANGLES.ravel())
    glb.mesh({"attributes": attributes, "indices": indices} | primitive)
    glb.scene({"mesh": 0})
    return glb


def rich() -> Glb:
    """A file that uses most of what the reader knows, to be damaged in tests."""
    glb = tetrahedron(material=0)
    attributes = glb.data["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_0"] = glb.accessor(np.zeros((4, 2), np.float32))
    attributes["COLOR_0"] = glb.accessor(np.full((4, 4), 200, np.uint8), normalized=True)
    attributes["JOINTS_0"] = glb.accessor(np.zeros((4, 4), np.uint8))
    attributes["WEIGHTS_0"] = glb.accessor(np.full((4, 4), 0.25, np.float32))
    strip = {"attributes": {"POSITION": 0}, "indices": glb.accessor(np.arange(4).astype(np.uint8)), "mode": 5}
    glb.data["meshes"][0]["primitives"].append(strip)
    bind = np.tile(np.eye(4, dtype=np.float32).ravel(), (1, 1))
    glb.data["skins"] = [{"joints": [1], "inverseBindMatrices": glb.accessor(bind)}]
    glb.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}, "emissiveFactor": [0, 0, 1]}]
    glb.data["textures"], glb.data["samplers"] = [{"source": 0, "sampler": 0}], [{"wrapS": 33071}]
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c6360606000000004"
        "0001f61738550000000049454e44ae426082"
    )
    glb.data["images"] = [{"bufferView": glb.view(png), "mimeType": "image/png"}]
    glb.data["accessors"][0]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": glb.view(b"\1"), "componentType": 5121},
        "values": {"bufferView": glb.view(CORNERS[1].tobytes())},
    }
    glb.scene({"mesh": 0, "skin": 0, "children": [1]}, {"scale": [1, 1, -1], "rotation": [0, 0, 0, 1], "mesh": 0})
    glb.data["scenes"] = [{"nodes": [0]}]
    return glb
