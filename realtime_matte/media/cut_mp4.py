"""Takes an incomplete last frame off a fragmented MP4 or QuickTime file, as on a disk that became full.

Such a file is a sequence of boxes: a fragment is a ``moof``, which lists the sizes of its frames, and their ``mdat``
(ISO/IEC 14496-12, 8.8). Nothing is added to the file, so that no free space is needed.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

HEADER: Final = 8
"""Bytes of a box before its content: length and kind. Length 1 means that eight bytes follow, which hold it."""

MAX_MOOF: Final = 1 << 20

OPTIONAL_TFHD: Final = ((0x1, 8), (0x2, 4), (0x8, 4))
"""Flags and bytes of the fields of a ``tfhd`` before the default size of a frame."""

DEFAULT_SIZE: Final = 0x10
DATA_OFFSET: Final = 0x1
FIRST_FLAGS: Final = 0x4
DURATION, SIZE, FLAGS, TIME_OFFSET = 0x100, 0x200, 0x400, 0x800  # of a frame in a ``trun``, four bytes each


@dataclass(frozen=True, slots=True)
class Box:
    """A box of ``length`` bytes from ``start``, its header included. A file that is cut ends before the box does."""

    kind: bytes
    start: int
    length: int

    @property
    def end(self) -> int:
        """Where the next one starts."""
        return self.start + self.length


def cut_to_whole_frames(path: Path) -> None:
    """Shorten the file to its last whole frame; one that is cut in its header stays as it is. Raises OSError."""
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        boxes = list(_boxes(file, size))
        fragments = [box for box in boxes if box.kind == b"moof"]
        last = boxes[-1] if boxes else None
        if last is None or last.end <= size or not fragments:
            return
        if last.kind == b"mdat" and boxes[-2].kind == b"moof":
            _cut_fragment(file, boxes[-2], last, size)
        else:
            file.truncate(last.start)


def _boxes(file: BinaryIO, size: int) -> Iterator[Box]:
    """The boxes of the file; the last one may end after it."""
    start = 0
    while start < size:
        file.seek(start)
        header = file.read(2 * HEADER)
        if len(header) < HEADER:
            yield Box(b"", start, HEADER)
            return
        length, kind = struct.unpack_from(">I4s", header)
        if length == 1 and len(header) == 2 * HEADER:
            (length,) = struct.unpack_from(">Q", header, HEADER)
        if length < HEADER:  # 0: to the end of the file
            return
        yield Box(kind, start, length)
        start += length


def _cut_fragment(file: BinaryIO, moof: Box, mdat: Box, size: int) -> None:
    """Shorten the fragment to the frames that are whole; without one, take it off."""
    file.seek(moof.start)
    content = file.read(min(moof.length, MAX_MOOF))
    run = _run(content)
    kept, end = 0, mdat.start + HEADER
    for frame in run.sizes if run else ():
        if end + frame > size:
            break
        kept, end = kept + 1, end + frame
    if run is None or not kept:
        file.truncate(moof.start)
        return
    file.seek(moof.start + run.count_at)
    file.write(struct.pack(">I", kept))
    file.seek(mdat.start)
    file.write(struct.pack(">I", end - mdat.start))
    file.truncate(end)


@dataclass(frozen=True, slots=True)
class _Run:
    """The frames of a fragment: their sizes, and where in the ``moof`` their number is."""

    count_at: int
    sizes: tuple[int, ...]


def _run(moof: bytes) -> _Run | None:
    """The only run of frames of a ``moof``; None where it has another form."""
    try:
        (traf,) = _children(moof, HEADER, len(moof), b"traf")
        (tfhd,) = _children(moof, traf.start + HEADER, traf.end, b"tfhd")
        (trun,) = _children(moof, traf.start + HEADER, traf.end, b"trun")
        flags, count = struct.unpack_from(">II", moof, trun.start + HEADER)
        at = trun.start + HEADER + 8 + 4 * bool(flags & DATA_OFFSET) + 4 * bool(flags & FIRST_FLAGS)
        if not flags & SIZE:
            return _Run(trun.start + HEADER + 4, (_default_size(moof, tfhd),) * count)
        step = 4 * sum(bool(flags & field) for field in (DURATION, SIZE, FLAGS, TIME_OFFSET))
        at += 4 * bool(flags & DURATION)
        sizes = tuple(struct.unpack_from(">I", moof, at + step * index)[0] for index in range(count))
    except (ValueError, struct.error):
        return None
    return _Run(trun.start + HEADER + 4, sizes)


def _children(content: bytes, start: int, end: int, kind: bytes) -> list[Box]:
    """The boxes of this kind within another one."""
    found: list[Box] = []
    while start + HEADER <= end:
        length, own = struct.unpack_from(">I4s", content, start)
        if length < HEADER:
            break
        if own == kind:
            found.append(Box(own, start, length))
        start += length
    return found


def _default_size(moof: bytes, tfhd: Box) -> int:
    (flags,) = struct.unpack_from(">I", moof, tfhd.start + HEADER)
    if not flags & DEFAULT_SIZE:
        raise ValueError
    at = tfhd.start + HEADER + 8 + sum(size for flag, size in OPTIONAL_TFHD if flags & flag)
    return int(struct.unpack_from(">I", moof, at)[0])
