"""PipeWire's parameters as bytes (SPA pods): the formats of a camera, the buffers it needs, the format that was chosen.

A pod is its size and its type, 32 bits each, then its content, filled to a multiple of 8 bytes (spa/pod/pod.h). Numbers
are those of spa/utils/type.h, spa/param/format.h and spa/param/buffers.h; they are part of PipeWire's stable interface.
"""

import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from realtime_matte.frame import Size

VideoFormat: TypeAlias = Literal["I420", "YUY2"]

FORMATS: Final[dict[VideoFormat, int]] = {"I420": 2, "YUY2": 4}
"""Numbers of the formats that are offered, the preferred one first."""

PARAM_ENUM_FORMAT: Final = 3
PARAM_FORMAT: Final = 4
PARAM_BUFFERS: Final = 5
PARAM_META: Final = 6

HEADER_META: Final = 1
HEADER_SIZE: Final = 32
"""Of struct spa_meta_header, which carries the time of a frame."""

ID: Final = 3
INT: Final = 4
RECTANGLE: Final = 10
FRACTION: Final = 11
OBJECT: Final = 15
CHOICE: Final = 19

OBJECT_FORMAT: Final = 0x40003
OBJECT_BUFFERS: Final = 0x40004
OBJECT_META: Final = 0x40005

MEDIA_TYPE: Final = 1
MEDIA_SUBTYPE: Final = 2
VIDEO_FORMAT: Final = 0x20001
VIDEO_SIZE: Final = 0x20003
VIDEO_FRAMERATE: Final = 0x20004
COLOR_RANGE: Final = 0x2000C
COLOR_MATRIX: Final = 0x2000D

VIDEO: Final = 2
RAW: Final = 1
LIMITED_RANGE: Final = 2
BT_601: Final = 4

RANGE: Final = 1
FLAGS: Final = 4
MEMORY: Final = 1 << 1 | 1 << 2
"""Buffers may be memory of this process, or a file descriptor of shared memory."""

MAX_RATE: Final = 1001
"""Largest denominator of a frame rate, as in 30000/1001."""


def formats(size: Size) -> list[VideoFormat]:
    """The formats in which a camera of this size, which is even, can be offered.

    I420 only where GStreamer's usual row length, a multiple of 4 bytes for chroma too, is the width.
    """
    return ["I420", "YUY2"] if size[0] % 8 == 0 else ["YUY2"]


def enum_format(video_format: VideoFormat, size: Size, fps: float) -> bytes:
    """A format that a camera offers."""
    rate = Fraction(fps).limit_denominator(MAX_RATE)
    properties = [
        (MEDIA_TYPE, _pod(ID, struct.pack("=I", VIDEO))),
        (MEDIA_SUBTYPE, _pod(ID, struct.pack("=I", RAW))),
        (VIDEO_FORMAT, _pod(ID, struct.pack("=I", FORMATS[video_format]))),
        (VIDEO_SIZE, _pod(RECTANGLE, struct.pack("=II", *size))),
        (VIDEO_FRAMERATE, _pod(FRACTION, struct.pack("=II", rate.numerator, rate.denominator))),
        (COLOR_RANGE, _pod(ID, struct.pack("=I", LIMITED_RANGE))),
        (COLOR_MATRIX, _pod(ID, struct.pack("=I", BT_601))),
    ]
    return _object(OBJECT_FORMAT, PARAM_ENUM_FORMAT, properties)


def buffers(video_format: VideoFormat, size: Size) -> bytes:
    """The buffers that frames of this format need."""
    properties = [
        (1, _choice(RANGE, INT, [4, 2, 8])),  # how many: usual, least, most
        (2, _pod(INT, struct.pack("=i", 1))),  # blocks of memory
        (3, _pod(INT, struct.pack("=i", byte_size(video_format, size)))),
        (4, _pod(INT, struct.pack("=i", stride(video_format, size)))),
        (6, _choice(FLAGS, INT, [MEMORY])),
    ]
    return _object(OBJECT_BUFFERS, PARAM_BUFFERS, properties)


def header_meta() -> bytes:
    """Requests a header beside each frame."""
    properties = [
        (1, _pod(ID, struct.pack("=I", HEADER_META))),
        (2, _pod(INT, struct.pack("=i", HEADER_SIZE))),
    ]
    return _object(OBJECT_META, PARAM_META, properties)


def byte_size(video_format: VideoFormat, size: Size) -> int:
    """Bytes of one frame."""
    return size[0] * size[1] * 3 // 2 if video_format == "I420" else size[0] * size[1] * 2


def stride(video_format: VideoFormat, size: Size) -> int:
    """Bytes from one row to the next; of luma, for I420."""
    return size[0] if video_format == "I420" else size[0] * 2


def chosen_format(pod: bytes) -> VideoFormat | None:
    """The format in a parameter that PipeWire has decided; None if it is none of ours."""
    number = _find_id(pod, VIDEO_FORMAT)
    return next((name for name, value in FORMATS.items() if value == number), None)


def _find_id(pod: bytes, key: int) -> int | None:
    """The first value of an object's property, a number or a choice of one."""
    at = 16  # behind the object's size, type, kind and id
    while at + 16 <= len(pod):
        found, _flags, size, kind = struct.unpack_from("=IIII", pod, at)
        value_at = at + 16 + (16 if kind == CHOICE else 0)
        if found == key and value_at + 4 <= len(pod):
            return int(struct.unpack_from("=I", pod, value_at)[0])
        at += 16 + _padded(size)
    return None


def _object(kind: int, param: int, properties: Sequence[tuple[int, bytes]]) -> bytes:
    content = b"".join(struct.pack("=II", key, 0) + pod for key, pod in properties)
    return _pod(OBJECT, struct.pack("=II", kind, param) + content)


def _choice(kind: int, of: int, values: Sequence[int]) -> bytes:
    head = struct.pack("=IIII", kind, 0, 4, of)
    return _pod(CHOICE, head + struct.pack(f"={len(values)}i", *values))


def _pod(kind: int, content: bytes) -> bytes:
    return struct.pack("=II", len(content), kind) + content.ljust(_padded(len(content)), b"\0")


def _padded(size: int) -> int:
    return -(-size // 8) * 8
