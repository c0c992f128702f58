"""Limits of memory at which native libraries fail or end the process, so that nothing could be reported."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from realtime_matte.errors import MatteError, SpecError

MIN_ADDRESS_SPACE: Final = 960 * 2**20
"""Bytes: a run at 1280x720 needs 900 MB, most of it for shared libraries and stacks that are never touched."""

RUN_BYTES: Final = 300 * 10**6
"""Anonymous memory of a run at a small size, most of it of the network."""

BYTES_PER_PIXEL: Final = 65
"""Memory of a run for each pixel of the output, measured at 4000x4000 and 8000x8000 with the default options."""

CGROUP_LIMITS: Final = "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"


def available_bytes(meminfo: str = "/proc/meminfo", limits: Sequence[str] = CGROUP_LIMITS) -> int | None:
    """Memory that is free or can be freed, within the container's limit; None where the system does not say."""
    found = []
    with suppress(OSError, ValueError, StopIteration), open(meminfo, encoding="ascii") as lines:  # noqa: PTH123 - light
        found.append(next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) * 1024)
    for limit in limits:
        with suppress(OSError, ValueError), open(limit, encoding="ascii") as file:  # noqa: PTH123 - as above
            found.append(int(file.read()))
    return min(found, default=None)


def check_output_memory(size: tuple[int, int]) -> None:
    """Check that a run with output frames of ``size``, (width, height), fits into the memory that is available.

    Raises:
        SpecError: It does not fit: Linux would end the process, or a library crash where an allocation fails.
    """
    needed, available = RUN_BYTES + size[0] * size[1] * BYTES_PER_PIXEL, available_bytes()
    if available is not None and needed > available:
        raise SpecError(
            f"not enough memory: output frames of {size[0]}x{size[1]} need about {needed / 1e9:.1f} GB, and "
            f"{available / 1e9:.1f} GB are available",
            hint="choose a smaller --size, such as 1280x720",
        )


def check_address_space() -> None:
    """Check the limit that ``ulimit -v`` sets, where the system has one.

    Raises:
        MatteError: It is too low.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 -- not on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < MIN_ADDRESS_SPACE:
        raise MatteError(
            f"not enough memory: this process may address {limit >> 20} MB, and needs {MIN_ADDRESS_SPACE >> 20} MB",
            hint="raise the limit: ulimit -v unlimited",
        )
