"""Kind, modes and use of a V4L2 device (Linux kernel documentation, V4L2 API, 7.1)."""

import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from realtime_matte.frame import Size
from realtime_matte.v4l2 import ioctl as v4l2
from realtime_matte.v4l2.ioctl import Ioctl, kernel_ioctl

MAX_ENTRIES = 256
"""More than any camera lists; a driver that never ends its list is stopped there."""

GREY_FORMATS: Final = frozenset(
    {
        "GREY",
        "Y04",
        "Y06",
        "Y8",
        "Y8I",
        "Y10",
        "Y10B",
        "Y10P",
        "Y10I",
        "ip3y",
        "Y12",
        "Y12I",
        "Y12P",
        "Y14",
        "Y14P",
        "Y16",
    }
    | {"Y16I", "Z16", "INZI", "INVI", "INRI", "CNF4"}
)
"""Grey and depth formats (Linux kernel documentation, V4L2 API, 2.7 and 2.11)."""


@dataclass(frozen=True, slots=True)
class Capability:
    """The driver of a device, the name that the driver reports, and the capability flags."""

    driver: str
    card: str
    flags: int

    @property
    def captures(self) -> bool:
        """True for a camera; False for its metadata node and for an output."""
        return bool(self.flags & v4l2.CAPTURE_FLAGS)

    @property
    def buffer_type(self) -> int:
        """The type of buffers in which it gives frames: of multi-planar devices, each plane has its own memory."""
        return v4l2.VIDEO_CAPTURE if self.flags & v4l2.SINGLE_PLANAR_FLAG else v4l2.VIDEO_CAPTURE_MPLANE

    @property
    def loopback(self) -> bool:
        """True for a virtual camera made by v4l2loopback."""
        return self.driver.startswith("v4l2 loop")


@dataclass(frozen=True, slots=True)
class Mode:
    """A pixel format and size that a camera offers; ``fps``: its rates at that size, highest first."""

    fourcc: str
    size: Size
    fps: tuple[float, ...]

    @property
    def grey(self) -> bool:
        """True for a format without colours: infrared (Windows Hello) and depth cameras have no others."""
        return self.fourcc.rstrip("\N{REPLACEMENT CHARACTER}") in GREY_FORMATS


def capability(device: int, *, ioctl: Ioctl = kernel_ioctl) -> Capability:
    """The capability of an open device. Raises OSError where it is no V4L2 device."""
    buffer = bytearray(v4l2.CAPABILITY.size)
    ioctl(device, v4l2.QUERYCAP, buffer)
    driver, card, _, _, all_nodes, this_node = v4l2.CAPABILITY.unpack(buffer)
    return Capability(_text(driver), _text(card), this_node if all_nodes & v4l2.DEVICE_CAPS_FLAG else all_nodes)


def modes(device: int, buffer_type: int, *, ioctl: Ioctl = kernel_ioctl) -> tuple[Mode, ...]:
    """Every mode in the driver's order; of a range of sizes the smallest and the largest."""
    found = []
    for _, _, _, code, _ in _entries(device, v4l2.ENUM_FMT, v4l2.FORMAT, (buffer_type,), ioctl):
        for size in _sizes(device, code, ioctl):
            fourcc = code.to_bytes(4, "little").decode("ascii", "replace").strip()
            found.append(Mode(fourcc, size, _rates(device, code, size, ioctl)))
    return tuple(found)


def busy(device: int, *, ioctl: Ioctl = kernel_ioctl) -> bool:
    """True when another program reads frames from the device.

    Requests buffers from it, so it must not be called while this program reads frames.
    """
    try:
        buffer_type = capability(device, ioctl=ioctl).buffer_type
        for count in (1, 0):
            ioctl(device, v4l2.REQBUFS, bytearray(v4l2.REQUEST_BUFFERS.pack(count, buffer_type, v4l2.MMAP)))
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


def _entries(
    device: int, request: int, layout: struct.Struct, key: tuple[int, ...], ioctl: Ioctl
) -> Iterator[tuple[int, ...]]:
    """Entries 0, 1, ... until the driver has no more; ``key``: the struct's fields after the index."""
    for index in range(MAX_ENTRIES):
        buffer = bytearray(layout.size)
        struct.pack_into(f"{1 + len(key)}I", buffer, 0, index, *key)
        try:
            ioctl(device, request, buffer)
        except OSError:
            return
        yield layout.unpack(buffer)


def _sizes(device: int, code: int, ioctl: Ioctl) -> list[Size]:
    sizes: list[Size] = []
    for _, _, kind, *numbers in _entries(device, v4l2.ENUM_FRAMESIZES, v4l2.FRAME_SIZE, (code,), ioctl):
        if kind != v4l2.DISCRETE:
            min_width, max_width, _, min_height, max_height, _ = numbers
            return [(min_width, min_height), (max_width, max_height)]
        sizes.append((numbers[0], numbers[1]))
    return sizes


def _rates(device: int, code: int, size: Size, ioctl: Ioctl) -> tuple[float, ...]:
    rates: set[float] = set()
    entries = _entries(device, v4l2.ENUM_FRAMEINTERVALS, v4l2.FRAME_INTERVAL, (code, *size), ioctl)
    for _, _, _, _, kind, *numbers in entries:
        intervals = [numbers[:2]] if kind == v4l2.DISCRETE else [numbers[:2], numbers[2:4]]
        rates.update(round(denominator / numerator, 3) for numerator, denominator in intervals if numerator)
        if kind != v4l2.DISCRETE:
            break
    return tuple(sorted(rates, reverse=True))


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
