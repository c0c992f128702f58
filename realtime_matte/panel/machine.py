"""What the page shows of this machine: cameras, outputs, networks, and the findings of the doctor."""

import sys
from collections.abc import Iterator
from typing import Any, Final

from realtime_matte.config.config import Config
from realtime_matte.control.status import Status
from realtime_matte.doctor.finding import Finding, record
from realtime_matte.doctor.host import Host
from realtime_matte.doctor.installation import installation
from realtime_matte.doctor.pipeline import parts
from realtime_matte.doctor.system import system
from realtime_matte.errors import masked
from realtime_matte.panel.page_values import CAMERAS, model_names
from realtime_matte.panel.supervisor import Supervisor
from realtime_matte.sources.camera import CameraInfo, list_cameras
from realtime_matte.v4l2.loopback import list_virtual_cameras

DEMO: Final = "Demo: a photograph that moves"

OUTPUT_NAMES: Final = {
    "virtualcam": "Virtual camera",
    "window": "Preview window",
    "pipewire": "PipeWire camera",
    "null": "Nowhere",
}

ABOUT: Final = {
    "auto": "small, or large on a GPU that is fast enough; a lighter one on a slow machine",
    "small": "for every machine",
    "large": "finer hair, for a GPU",
    "low": "costs less",
    "normal": "the default",
    "high": "sharper edges for twice the time",
    "best": "the sharpest edges for three times the time",
}


def cameras(supervisor: Supervisor) -> list[dict[str, Any]]:
    """The cameras, and the present source where it is no listed camera.

    Other systems than Linux can only try to open cameras, so those are listed while no camera is used.
    """
    pipeline, chosen = supervisor.current.pipeline, masked(supervisor.config.camera)
    own = set(pipeline.devices) if pipeline else set()
    found = list_cameras() if sys.platform == "linux" or pipeline is None else []
    records = [_camera(camera) for camera in found if camera.address not in own]
    if chosen not in {*CAMERAS, *(one["spec"] for one in records)}:
        records.append({"spec": chosen, "name": chosen, "modes": []})
    return [*records, {"spec": "demo", "name": DEMO, "modes": []}]


def devices() -> list[str]:
    """The names by which a page may choose cameras and virtual cameras."""
    virtual = list_virtual_cameras() if sys.platform == "linux" else []
    real = list_cameras() if sys.platform == "linux" else [CameraInfo("", str(number)) for number in range(8)]
    return [*(camera.address for camera in real), *(device.path for device in virtual)]


def outputs(config: Config, status: Status | None) -> list[dict[str, Any]]:
    """The outputs there are, and those in use, which may be files."""
    faults = {output.name: output.fault for output in status.outputs} if status else {}
    present = [masked(spec) for spec in config.output]
    names = {"virtualcam": OUTPUT_NAMES["virtualcam"]}
    if sys.platform == "linux":
        names |= {f"virtualcam:{device.path}": f"{device.name} ({device.path})" for device in list_virtual_cameras()}
        names["pipewire"] = OUTPUT_NAMES["pipewire"]
    names["window"] = OUTPUT_NAMES["window"]
    names |= {spec: OUTPUT_NAMES.get(spec, spec) for spec in present if spec not in names}
    return [
        {"spec": spec, "name": name, "active": spec in present, "fault": faults.get(spec, "")}
        for spec, name in names.items()
    ]


def models() -> list[dict[str, Any]]:
    """The networks that a page may choose."""
    return [{"name": name, "about": _about(name)} for name in model_names()]


def findings(supervisor: Supervisor) -> list[dict[str, Any]]:
    """What the doctor finds. Parts that a running pipeline uses are reported by the pipeline, and not opened again."""
    with supervisor.devices_free() as free:
        return [_card(finding) for finding in _findings(supervisor, free=free)]


def _findings(supervisor: Supervisor, *, free: bool) -> Iterator[Finding]:
    yield from installation()
    yield from system(Host(), outputs=supervisor.config.output)
    if free:
        yield from parts(supervisor.config)
        return
    pipeline = supervisor.current.pipeline
    for notice in pipeline.notices if pipeline else []:
        yield Finding("running", "ok", notice)


def _card(finding: Finding) -> dict[str, Any]:
    values = record(finding)
    return {
        "title": values["part"],
        "state": values["state"],
        "message": masked(str(values["found"])),
        "why": values["why"] if finding.state != "ok" else "",
        "hint": masked(str(values["hint"])),
        "fixes": values["commands"],
    }


def _camera(camera: CameraInfo) -> dict[str, Any]:
    modes = [
        {"width": mode.size[0], "height": mode.size[1], "fps": list(mode.fps), "format": mode.fourcc}
        for mode in camera.modes
    ]
    return {"spec": camera.address, "name": camera.name or f"Camera {camera.address}", "modes": modes}


def _about(name: str) -> str:
    network, _, quality = name.partition("?quality=")
    return ABOUT.get(quality or network, "")
