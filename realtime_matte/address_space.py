"""Limits of memory at which native libraries fail or end the process, so that nothing could be reported."""

import sys
from typing import Final

from realtime_matte.errors import MatteError

MIN_ADDRESS_SPACE: Final = 960 * 2**20
"""Bytes: a run at 1280x720 needs 900 MB, most of it for shared libraries and stacks that are never touched."""


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
