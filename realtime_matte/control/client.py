"""The client of a control server: which instances run, and one request to one of them. Imports nothing heavy."""

import json
import sys
from dataclasses import dataclass
from typing import Any, Final

from realtime_matte.control import pipes, sockets
from realtime_matte.errors import MatteError

MAX_ANSWER: Final = 1 << 28
"""Bytes of the longest answer: a snapshot of the largest size, as PNG in base64, and more."""

TIMEOUT_S: Final = 75.0
"""Longer than the server waits for a command."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A running rtmatte: its process number, and the path of its socket or pipe."""

    pid: int
    address: str


def instances() -> list[Instance]:
    """The instances of this user that answer, by process number."""
    found = pipes.pipes() if sys.platform == "win32" else sockets.sockets()
    return [Instance(pid, str(found[pid])) for pid in sorted(found)]


def choose(pid: int | None) -> Instance:
    """The instance with this process number, or the only one there is.

    Raises:
        MatteError: There is none, or there are several.
    """
    found = instances()
    pids = ", ".join(str(instance.pid) for instance in found)
    if not found:
        raise MatteError("no rtmatte is running", hint="start it, without --no-control")
    if pid is not None:
        chosen = [instance for instance in found if instance.pid == pid]
        if not chosen:
            raise MatteError(f"no rtmatte with pid {pid}", hint=f"there are: {pids}")
        return chosen[0]
    if len(found) > 1:
        raise MatteError(f"{len(found)} instances of rtmatte are running: {pids}", hint="add --pid N")
    return found[0]


def ask(instance: Instance, key: str, value: object = None, *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Send one command, or ``status``. Returns the answer: ``status``, and ``image`` of a snapshot.

    Raises:
        MatteError: It was refused, or there is no answer.
    """
    exchange = pipes.exchange if sys.platform == "win32" else sockets.exchange
    line = json.dumps({"key": key, "value": value}).encode() + b"\n"
    try:
        answer = json.loads(exchange(instance.address, line, timeout_s=timeout_s, most=MAX_ANSWER) or b"{}")
    except (OSError, ValueError) as error:
        raise MatteError(f"rtmatte (pid {instance.pid}) does not answer: {error}", hint="try again") from error
    if "error" in answer:
        raise MatteError(answer["error"]["message"], hint=answer["error"]["hint"])
    if "status" not in answer:
        raise MatteError(f"rtmatte (pid {instance.pid}) ended without an answer", hint="start it again")
    return dict(answer)
