"""Damages to bytes: what bad disks, broken downloads and hostile senders do, drawn from a seeded generator."""

import random
import struct
from collections.abc import Callable, Sequence

from fuzz import boxes
from fuzz.images import png_chunk

Damage = Callable[[random.Random, bytearray], None]

HEADER = 512
"""Bytes at the start, where half of the damages are: there stands what a reader acts on."""

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 63)
"""Ends of the ranges of integers."""

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
FTYP = b"ftyp"


def damaged(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A copy with one to six damages, mostly one; ``others``: files that parts may come from."""
    result = bytearray(data)
    if data[4:8] == FTYP and rng.random() < 0.5:
        result = bytearray(_damaged_boxes(rng, data))
    for _ in range(rng.choice((1, 1, 1, 2, 6))):
        rng.choice(DAMAGES)(rng, result)
    if rng.random() < 0.05:
        other = rng.choice(others)
        result[_place(rng, result) :] = other[rng.randrange(len(other)) :]
    if data.startswith(PNG_MAGIC) and rng.random() < 0.7:
        result = bytearray(_with_checksums(bytes(result)))
    return bytes(result)


def _place(rng: random.Random, data: bytearray) -> int:
    end = min(len(data), HEADER) if rng.random() < 0.5 else len(data)
    return rng.randrange(end) if end else 0


def _span(rng: random.Random, data: bytearray) -> slice:
    start = _place(rng, data)
    return slice(start, start + rng.choice((1, 2, 4, 16, 100, 2000)))


def flip_bit(rng: random.Random, data: bytearray) -> None:
    """Invert one bit."""
    if data:
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def set_number(rng: random.Random, data: bytearray) -> None:
    """Write an integer at the end of a range."""
    code = rng.choice((">B", ">H", "<H", ">I", "<I", ">Q", "<Q"))
    size = struct.calcsize(code)
    at = _place(rng, data)
    if at + size <= len(data):
        struct.pack_into(code, data, at, rng.choice(NUMBERS) % (1 << 8 * size))


def zero(rng: random.Random, data: bytearray) -> None:
    """Overwrite a part with zeros."""
    span = _span(rng, data)
    data[span] = bytes(len(data[span]))


def scramble(rng: random.Random, data: bytearray) -> None:
    """Overwrite a part with noise."""
    span = _span(rng, data)
    data[span] = rng.randbytes(len(data[span]))


def remove(rng: random.Random, data: bytearray) -> None:
    """Leave a part out."""
    del data[_span(rng, data)]


def repeat(rng: random.Random, data: bytearray) -> None:
    """Insert a part a second time."""
    at, part = _place(rng, data), data[_span(rng, data)]
    data[at:at] = part


def insert(rng: random.Random, data: bytearray) -> None:
    """Insert noise."""
    at = _place(rng, data)
    data[at:at] = rng.randbytes(rng.choice((1, 4, 100)))


def truncate(rng: random.Random, data: bytearray) -> None:
    """Cut the end off."""
    del data[_place(rng, data) + 1 :]


DAMAGES: tuple[Damage, ...] = (
    flip_bit,
    flip_bit,
    set_number,
    set_number,
    zero,
    scramble,
    remove,
    repeat,
    insert,
    truncate,
)


def _damaged_boxes(rng: random.Random, data: bytes) -> bytes:
    """One box of an MP4 changed, with all sizes right, so that a reader gets further."""
    root = boxes.Box(b"root", children=boxes.parse(data))
    parent = rng.choice([box for box in root.walk() if box.children])
    index = rng.randrange(len(parent.children))
    child = parent.children[index]
    way = rng.randrange(5)
    if way == 0:
        del parent.children[index]
    elif way == 1:
        parent.children.insert(index, child)
    elif way == 2:
        rng.shuffle(parent.children)
    elif way == 3:
        child.kind = rng.choice([box.kind for box in root.walk()])
    else:
        leaf = rng.choice([box for box in child.walk() if not box.children])
        body = bytearray(leaf.body[:HEADER])
        rng.choice((flip_bit, set_number, set_number, scramble, truncate))(rng, body)
        leaf.body = bytes(body) + leaf.body[HEADER:]
    return b"".join(map(bytes, root.children))


def _with_checksums(data: bytes) -> bytes:
    """A PNG with right checksums, so that a reader gets past them."""
    result, at = data[:8], 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + size > len(data):
            break
        result += png_chunk(kind, data[at + 8 : at + 8 + size])
        at += 12 + size
    return result + data[at:]
