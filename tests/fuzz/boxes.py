"""The boxes of MP4, MOV, HEIC and AVIF files (ISO 14496-12): parsed, changed and written again."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

CONTAINERS = {b"moov", b"trak", b"edts", b"mdia", b"minf", b"stbl"}
HEADER_BYTES = 8


@dataclass(slots=True)
class Box:
    """A box: its type, and either its bytes or the boxes in it."""

    kind: bytes
    body: bytes = b""
    children: list["Box"] = field(default_factory=list)

    def __bytes__(self) -> bytes:
        content = b"".join(map(bytes, self.children)) if self.children else self.body
        return struct.pack(">I4s", HEADER_BYTES + len(content), self.kind) + content

    def find(self, *path: bytes) -> "Box":
        """The first box on that path below this one."""
        box = self
        for kind in path:
            box = next(child for child in box.children if child.kind == kind)
        return box

    def walk(self) -> Iterator["Box"]:
        """This box and all below."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse(data: bytes) -> list[Box]:
    """The boxes of a file, as far as their sizes can be followed."""
    boxes, at = [], 0
    while at + HEADER_BYTES <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < HEADER_BYTES or at + size > len(data):
            break
        body = data[at + HEADER_BYTES : at + size]
        boxes.append(Box(kind, children=parse(body)) if kind in CONTAINERS else Box(kind, body))
        at += size
    return boxes


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box as bytes."""
    return bytes(Box(kind, b"".join(parts)))


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with version and flags, as bytes."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def change(path: Path, edit: Callable[[Box], None]) -> None:
    """Edit the boxes of a file whose frames stand before them, so that no offset moves. ``edit`` gets the root."""
    root = Box(b"root", children=parse(path.read_bytes()))
    edit(root)
    path.write_bytes(b"".join(map(bytes, root.children)))
