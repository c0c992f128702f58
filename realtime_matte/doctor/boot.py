"""Whether the virtual camera is there again after the next start of the machine."""

from collections.abc import Iterator
from typing import Final

from realtime_matte.doctor.finding import Finding, FixCommand, good
from realtime_matte.doctor.host import Host
from realtime_matte.doctor.kernel_module import NAME, built, loaded

PART: Final = "at boot"
PAIR: Final = {
    "/etc/modules-load.d/rtmatte.conf": "v4l2loopback",
    "/etc/modprobe.d/rtmatte.conf": f'options v4l2loopback video_nr=10 exclusive_caps=1 card_label="{NAME}"',
}
"""The files, each with its line, that load the module at boot, and say how it is loaded. Its number keeps it from being
/dev/video0 where it is loaded before the webcam: many programs take that for the webcam."""

PLACES: Final = ("etc", "run", "usr/lib", "lib")


def at_boot(host: Host) -> Iterator[Finding]:
    """Nothing where there is no module to load."""
    if loaded(host) or built(host):
        yield _found(host)


def _found(host: Host) -> Finding:
    loads = host.lines("etc/modules", *(f"{place}/modules-load.d/*.conf" for place in PLACES))
    options = host.lines(*(f"{place}/modprobe.d/*.conf" for place in PLACES))
    load = next((path for path, line in loads if line == "v4l2loopback"), None)
    option = next(((path, line) for path, line in options if line.split()[:2] == ["options", "v4l2loopback"]), None)
    if option and "exclusive_caps=1" not in option[1]:
        mend = f"write exclusive_caps=1 into that line of {option[0]}"
        why = "Chrome, Zoom and other programs do not list a camera without it"
        return Finding(PART, "warning", f"{option[0]} loads it without exclusive_caps=1", mend, why)
    if load and option:
        return good(PART, f"loaded by {load}, as {option[0]} says")
    wanted = [path for path, there in zip(PAIR, (load, option), strict=True) if not there]
    found = "nothing loads v4l2loopback" if not load else "nothing says how v4l2loopback is to be loaded"
    why = "the virtual camera is gone after a restart" if not load else "after a restart Chrome and Zoom do not list it"
    return Finding(PART, "warning", found, f"write {' and '.join(wanted)}", why, tuple(map(_write, wanted)))


def _write(path: str) -> FixCommand:
    line = PAIR[path].replace('"', r"\"")
    return FixCommand(("sh", "-c", f"echo {line} > {path}"), root=True)
