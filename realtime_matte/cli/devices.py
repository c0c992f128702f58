"""``rtmatte devices``: lists the cameras, virtual cameras and providers of this machine."""

import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from realtime_matte.cli.signals import Signals
from realtime_matte.config.arguments import Parser, add_json
from realtime_matte.errors import printable

if TYPE_CHECKING:
    from realtime_matte.models import ProviderStatus
    from realtime_matte.sources.camera import CameraInfo, Mode
    from realtime_matte.v4l2.loopback import LoopbackDevice

INDENT: Final = " " * 6
WIDTH: Final = 100
NO_BREAK: Final = "\N{NO-BREAK SPACE}"

USUAL: Final = frozenset({"MJPG", "YUYV", "NV12", "YU12"})
"""Formats that are read without OpenCV; named first."""

MAX_NAMES: Final = 6
"""Names of formats with the same sizes; drivers for tests offer over a hundred of them."""

NOT_LISTED: Final = "cannot be listed on this system; `rtmatte doctor` tries to open one"


def main(words: Sequence[str], *, prog: str, signals: Signals) -> int:
    """List cameras with their modes, virtual cameras and providers."""
    parser = Parser(prog, "List the cameras, virtual cameras and providers of this machine.")
    add_json(parser)
    as_json = parser.parse_args(words).json
    signals.raise_interrupts()
    from realtime_matte.models import provider_status
    from realtime_matte.sources.camera import list_cameras
    from realtime_matte.v4l2.loopback import list_virtual_cameras

    virtual = list_virtual_cameras() if sys.platform == "linux" else None
    cameras, providers = list_cameras(), provider_status()
    if as_json:
        print(json.dumps(_record(cameras, virtual, providers), indent=2))
        return 0
    _print("cameras, for --camera (sizes with their highest frame rate)", map(_camera, cameras))
    _print("virtual cameras, for --output virtualcam:NAME", [NOT_LISTED] if virtual is None else map(_virtual, virtual))
    _print("providers, for --provider (fastest first)", map(_provider, providers))
    return 0


def _record(
    cameras: Sequence["CameraInfo"], virtual: "Sequence[LoopbackDevice] | None", providers: Sequence["ProviderStatus"]
) -> dict[str, object]:
    return {
        "cameras": [asdict(one) for one in cameras],
        "virtual_cameras": virtual and [asdict(one) for one in virtual],
        "providers": [asdict(one) for one in providers],
    }


def _print(title: str, lines: Iterable[str]) -> None:
    print(f"{title}:")
    for line in list(lines) or ["none"]:
        print(f"  {line}")


def _camera(camera: "CameraInfo") -> str:
    head = printable(f"{camera.address}  {camera.name}{' (virtual)' if camera.virtual else ''}")
    if camera.problem:
        return f"{head}: {printable(camera.problem)}"
    return f"\n{INDENT}".join([head, *_formats(camera.modes)])


def _formats(modes: Sequence["Mode"]) -> list[str]:
    """Lines with the sizes of each format and their highest rates, formats of the same sizes together.

    ``--json`` has all names and rates.
    """
    sizes: dict[str, dict[str, None]] = {}
    for mode in modes:
        best = max(mode.fps, default=None)
        size = f"{mode.size[0]}x{mode.size[1]}" + ("" if best is None else f"{NO_BREAK}at{NO_BREAK}{best:g}")
        sizes.setdefault(mode.fourcc, {})[size] = None
    alike: dict[tuple[str, ...], list[str]] = {}
    for fourcc, of_format in sizes.items():
        alike.setdefault(tuple(of_format), []).append(fourcc)
    return [line for shared, names in alike.items() for line in _wrapped(names, shared)]


def _wrapped(names: Sequence[str], sizes: Sequence[str]) -> list[str]:
    names = sorted(names, key=lambda name: name not in USUAL)
    further = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    line = printable(f"{', '.join(names[:MAX_NAMES])}{further}  ") + ", ".join(sizes)
    wrapped = textwrap.wrap(line, WIDTH - len(INDENT), subsequent_indent="      ", break_on_hyphens=False)
    return [one.replace(NO_BREAK, " ") for one in wrapped]


def _virtual(device: "LoopbackDevice") -> str:
    return printable(f"{device.path}  {device.name}{': another program sends to it' if device.busy else ''}")


def _provider(status: "ProviderStatus") -> str:
    return printable(f"{status.name:<10} {status.unavailable or 'available; rtmatte doctor verifies it'}")
