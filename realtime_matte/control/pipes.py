"""Control pipes of Windows: their names, and one request over one of them. Imports nothing heavy.

Not run on Windows yet: the tests put other transports in the place of the pipe.
"""

import getpass
import os
import re
from typing import Final, Protocol, cast

FOLDER: Final = "\\\\.\\pipe\\"
"""Where Windows keeps all named pipes."""


class Connection(Protocol):
    """One end of a pipe, as of ``multiprocessing.connection``."""

    def send_bytes(self, data: bytes, /) -> None:
        """Write one message."""

    def poll(self, timeout_s: float, /) -> bool:
        """Whether a message can be read within this time."""

    def recv_bytes(self) -> bytes:
        """The next message. Raises EOFError at the end."""

    def close(self) -> None:
        """Close it."""


def pipe_name(pid: int) -> str:
    """The pipe of an instance of this user."""
    return f"{FOLDER}{_prefix()}{pid}"


def names() -> list[str]:
    """The names of all pipes of the machine."""
    return os.listdir(FOLDER)  # noqa: PTH208 -- Path does not keep this name of Windows


def pipes() -> dict[int, str]:
    """The pipes of this user's instances, by process number. A pipe ends with its program."""
    prefix = _prefix()
    numbers = [name.removeprefix(prefix) for name in names() if name.startswith(prefix)]
    return {int(number): pipe_name(int(number)) for number in numbers if number.isdecimal()}


def connect(address: str) -> Connection:
    """A connection to the pipe. Raises OSError."""
    from multiprocessing.connection import Client  # noqa: PLC0415 -- on Windows only

    return cast("Connection", Client(address, family="AF_PIPE"))


def exchange(address: str, line: bytes, *, timeout_s: float, most: int) -> bytes:
    """The answer to one request, as ``sockets.exchange``."""
    connection = connect(address)
    answer = bytearray()
    try:
        connection.send_bytes(line)
        while not answer.endswith(b"\n") and len(answer) < most:
            if not connection.poll(timeout_s):
                raise TimeoutError("timed out")
            answer += connection.recv_bytes()
    except EOFError:  # the server has ended
        pass
    finally:
        connection.close()
    return bytes(answer)


def _prefix() -> str:
    """What the names of this user's pipes begin with."""
    return f"rtmatte-{re.sub(r'[^A-Za-z0-9]', '_', getpass.getuser())}-"
