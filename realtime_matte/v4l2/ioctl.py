"""Requests to Video for Linux drivers (linux/videodev2.h), as numbers for ``ioctl``."""

from collections.abc import Callable
from typing import TypeAlias

Ioctl: TypeAlias = Callable[[int, int, bytearray], object]
"""Called with a file descriptor, a request and a buffer that it fills; raises OSError."""


def request(direction: int, number: int, size: int) -> int:
    """The number of an ioctl of the letter V; ``direction``: 1 writes, 2 reads, 3 both."""
    return direction << 30 | size << 16 | ord("V") << 8 | number
