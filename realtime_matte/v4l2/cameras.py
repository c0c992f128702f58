"""What Linux tells about a camera through ioctl calls (Linux kernel documentation, Video for Linux API, 7.1)."""

import errno
import fcntl
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from realtime_matte.frame import Size
from realtime_matte.sources._camera_info import Mode
from realtime_matte.v4l2.ioctl import Ioctl, request

CAPTURE_FLAGS = 0x0000_0001 | 0x0000_1000  # single-planar, multi-planar
DEVICE_CAPS = 0x8000_0000
VIDEO_CAPTURE = 1
MMAP = 1
DISCRETE = 1
MOST = 256
"""More entries than any camera lists: a driver that never says "no more" is left there."""

CAPABILITY = struct.Struct("16s32s32s3I12x")
FORMAT = struct.Struct("3I32x2I12x")
FRAME_SIZE = struct.Struct("3I6I8x")
FRAME_INTERVAL = struct.Struct("5I6I8x")
BUFFERS = struct.Struct("3I8x")


@dataclass(frozen=True, slots=True)
class Capability:
    """Which driver serves a device, what it calls it, and what the device can do."""

    driver: str
    card: str
    flags: int

    @property
    def captures(self) -> bool:
        """True for a camera; its metadata node and an output are none."""
        return bool(self.flags & CAPTURE_FLAGS)

    @property
    def loopback(self) -> bool:
        """True for a virtual camera made by v4l2loopback."""
        return self.driver.startswith("v4l2 loop")


QUERYCAP = request(2, 0, CAPABILITY.size)
ENUM_FMT = request(3, 2, FORMAT.size)
REQBUFS = request(3, 8, BUFFERS.size)
ENUM_FRAMESIZES = request(3, 74, FRAME_SIZE.size)
ENUM_FRAMEINTERVALS = request(3, 75, FRAME_INTERVAL.size)


def capability(device: int, *, ioctl: Ioctl = fcntl.ioctl) -> Capability:
    """Raises OSError where there is no V4L2 device."""
    buffer = bytearray(CAPABILITY.size)
    ioctl(device, QUERYCAP, buffer)
    driver, card, _, _, of_all, of_this = CAPABILITY.unpack(buffer)
    return Capability(_text(driver), _text(card), of_this if of_all & DEVICE_CAPS else of_all)


def modes(device: int, *, ioctl: Ioctl = fcntl.ioctl) -> tuple[Mode, ...]:
    """Every mode in the driver's order; of a range of sizes the smallest and the largest."""
    found = []
    for _, _, _, code, _ in _listed(device, ENUM_FMT, FORMAT, (VIDEO_CAPTURE,), ioctl):
        for size in _sizes(device, code, ioctl):
            fourcc = code.to_bytes(4, "little").decode("ascii", "replace").strip()
            found.append(Mode(fourcc, size, _rates(device, code, size, ioctl)))
    return tuple(found)


def busy(device: int, *, ioctl: Ioctl = fcntl.ioctl) -> bool:
    """True when another program takes pictures from the device. Asks for buffers, so not while we do it ourselves."""
    try:
        for count in (1, 0):
            ioctl(device, REQBUFS, bytearray(BUFFERS.pack(count, VIDEO_CAPTURE, MMAP)))
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


def _listed(
    device: int, number: int, layout: struct.Struct, given: tuple[int, ...], ioctl: Ioctl
) -> Iterator[tuple[int, ...]]:
    """Entries 0, 1, ... until the driver has no more; ``given`` stands behind the index."""
    for index in range(MOST):
        buffer = bytearray(layout.size)
        struct.pack_into(f"{1 + len(given)}I", buffer, 0, index, *given)
        try:
            ioctl(device, number, buffer)
        except OSError:
            return
        yield layout.unpack(buffer)


def _sizes(device: int, code: int, ioctl: Ioctl) -> list[Size]:
    sizes: list[Size] = []
    for _, _, kind, *numbers in _listed(device, ENUM_FRAMESIZES, FRAME_SIZE, (code,), ioctl):
        if kind != DISCRETE:
            least_width, most_width, _, least_height, most_height, _ = numbers
            return [(least_width, least_height), (most_width, most_height)]
        sizes.append((numbers[0], numbers[1]))
    return sizes


def _rates(device: int, code: int, size: Size, ioctl: Ioctl) -> tuple[float, ...]:
    rates: set[float] = set()
    for _, _, _, _, kind, *numbers in _listed(device, ENUM_FRAMEINTERVALS, FRAME_INTERVAL, (code, *size), ioctl):
        intervals = [numbers[:2]] if kind == DISCRETE else [numbers[:2], numbers[2:4]]
        rates.update(round(down / up, 3) for up, down in intervals if up)
        if kind != DISCRETE:
            break
    return tuple(sorted(rates, reverse=True))


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
