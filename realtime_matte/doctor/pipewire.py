"""Whether programs that take cameras through PipeWire (Flatpak browsers, GNOME's) find the virtual camera."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from realtime_matte.doctor.finding import Finding, FixCommand, good
from realtime_matte.doctor.host import Host
from realtime_matte.v4l2.loopback import Loopbacks

PART: Final = "pipewire"
RESTART: Final = FixCommand(("systemctl", "--user", "restart", "wireplumber"))


def pipewire(host: Host) -> Iterator[Finding]:
    """Nothing where PipeWire does not run, or cannot be asked."""
    there = Loopbacks(host.root).there()
    if not there or not _runs(host) or (shown := _shown(host)) is None:
        return
    for one in there:
        if one.path in shown:
            yield good(PART, f"shows {one.title}")
        elif one.busy:
            why = "programs that take cameras through PipeWire do not list it; it looks at a device only as it appears"
            mend = "let its session manager look again, which stops sound for a moment"
            yield Finding(PART, "warning", f"does not show {one.title}", mend, why, (RESTART,))
        else:
            yield good(PART, f"runs; whether it shows {one.title} is seen only while rtmatte runs: ask again then")


def _runs(host: Host) -> bool:
    folder = host.environment.get("XDG_RUNTIME_DIR", "")
    return bool(folder) and (Path(folder) / "pipewire-0").exists()


def _shown(host: Host) -> set[str] | None:
    """The devices it has as cameras; None where it does not say."""
    answer = host.ask(["pw-dump"])
    if answer is None or answer.status:
        return None
    try:
        properties = [_properties(entry) for entry in json.loads(answer.text)]
    except ValueError:
        return None
    cameras = [told for told in properties if told.get("media.class") == "Video/Source"]
    return {str(told.get("api.v4l2.path") or told.get("object.path", "").removeprefix("v4l2:")) for told in cameras}


def _properties(entry: dict[str, Any]) -> dict[str, Any]:
    return (entry.get("info") or {}).get("props") or {}
