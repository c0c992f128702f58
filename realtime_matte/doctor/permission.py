"""Whether this user may use the video devices."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from realtime_matte.doctor.finding import Finding, FixCommand, good
from realtime_matte.doctor.host import Host

PART: Final = "permission"
WHY: Final = "a device that may not be opened is neither your camera nor your virtual camera"


def permission(host: Host) -> Iterator[Finding]:
    """All devices in one finding for each group; nothing where there are none."""
    nodes = sorted((host.root / "dev").glob("video[0-9]*"))
    shut = [node for node in nodes if not host.access(node, os.R_OK | os.W_OK)]
    if nodes and not shut:
        yield good(PART, f"{_list(nodes)}: may be used by {host.user}")
    for group in dict.fromkeys(node.stat().st_gid for node in shut):
        yield _refused(host, group, [node for node in shut if node.stat().st_gid == group])


def _refused(host: Host, number: int, nodes: list[Path]) -> Finding:
    found, (name, members) = f"{_list(nodes)}: may not be used by {host.user}", _group(host, number)
    if host.user in members and number not in host.groups:
        return Finding(PART, "warning", found, f"log out and in again: you joined the group {name} since", WHY)
    if not name or number == 0:  # nobody should join root's group for this
        access = FixCommand(("setfacl", "-m", f"u:{host.user}:rw", *map(str, nodes)), root=True)
        return Finding(PART, "warning", found, "allow it, anew after each start", WHY, (access,))
    join = FixCommand(("usermod", "-aG", name, host.user), root=True)
    return Finding(PART, "warning", found, f"join the group {name}, then log out and in again", WHY, (join,))


def _group(host: Host, number: int) -> tuple[str, list[str]]:
    """Its name and members; an empty name where the number has none."""
    for line in host.read("etc/group").splitlines():
        name, _, told, *members = line.split(":")
        if told == str(number):
            return name, "".join(members).split(",")
    return "", []


def _list(nodes: list[Path]) -> str:
    return ", ".join(map(str, nodes))
