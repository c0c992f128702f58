"""The file of ``--plate``: read before the start, tried in each shot, refused with the reason; written on request."""

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Final

from realtime_matte.config.config import Config
from realtime_matte.errors import MatteError, masked
from realtime_matte.paths import named
from realtime_matte.pipeline.builder import source_plugin
from realtime_matte.pipeline.loading import start_thread
from realtime_matte.render.clean_plate import CleanPlate
from realtime_matte.render.stored_plate import PlateOrigin, StoredPlate
from realtime_matte.v4l2.cameras import LinuxCameras

if TYPE_CHECKING:
    from realtime_matte.pipeline.builder import Parts

TRY_S: Final = 2.0
"""How long a shot may differ from the plate: at first a person may cover most of it."""

NOT_USED: Final = "the empty room in {file!r} is not used: {reason}; {hint}"
AGAIN: Final = "make it again: rtmatte calibrate --plate FILE"
USED: Final = "the empty room in {file!r} is known"
VIEW: Final = ("mirror", "rotate", "zoom", "center", "camera_fit")
"""Options that decide, with the size, which part of the camera's image is where in a frame."""


def read_stored(config: Config) -> StoredPlate | None:
    """The plate to begin with; None without ``--plate``, and where ``--calibrate`` will write it. Raises MatteError."""
    if config.plate is None:
        return None
    path = named(config.plate)
    if config.calibrate:
        check_plate_file(config.plate)
        return None
    from realtime_matte.render.plate_file import read_plate  # noqa: PLC0415 -- Pillow, for this option only

    return read_plate(path)


def check_plate_file(file: str) -> None:
    """Check that a plate can be written to it, before the plate is measured. Raises MatteError."""
    from realtime_matte.render.plate_file import check_plate_writable  # noqa: PLC0415 -- as above

    check_plate_writable(named(file))


class PlateStore:
    """Proposes a stored plate to the clean plates of a run. The pipeline's thread only.

    Args:
        stored: None if there is none.
        file: Its name, for messages.
        origin: What a plate would be made with now.
        notify: Gets whether it is used, and why not.
    """

    def __init__(
        self,
        stored: StoredPlate | None,
        file: str | None,
        *,
        origin: Callable[[], PlateOrigin],
        notify: Callable[[str], None],
    ) -> None:
        self._stored = stored
        self._file = file
        self._origin = origin
        self._notify = notify
        self._plate: CleanPlate | None = None  # to which it was proposed
        self._since: float | None = None  # time of the first frame that it does not fit
        self._reported = False

    def update(self, time: float, plate: CleanPlate | None) -> None:
        """Continue with a frame that was rendered.

        Args:
            time: The frame's.
            plate: The clean plate; None if the network does not see one.
        """
        if self._stored is None:
            return
        if plate is None:
            self._refuse("this model makes no use of an empty room", "choose a --model that sees the clean plate")
        elif plate is not self._plate:
            self._propose(plate)
        elif plate.pending:
            self._since = time if self._since is None else self._since
            if not 0 <= time - self._since < TRY_S:
                self._refuse("the camera shows something else, or was moved", AGAIN)
        else:
            self._since = None
            if not self._reported:
                self._reported = True
                self._notify(USED.format(file=self._file))

    def _propose(self, plate: CleanPlate) -> None:
        assert self._stored  # noqa: S101
        difference = self._stored.origin.difference(self._origin())
        if difference:
            self._refuse(difference, AGAIN)
        else:
            plate.propose(self._stored)
            self._plate, self._since = plate, None

    def _refuse(self, reason: str, hint: str) -> None:
        self._stored = None
        if self._plate:
            self._plate.propose(None)  # also after a change to a model that does not see it, and back
        self._notify(NOT_USED.format(file=self._file, reason=reason, hint=hint))


def write_stored(plate: CleanPlate, file: str, origin: PlateOrigin) -> Future[None]:
    """Begin to write a copy of the plate in a thread, which ends with it. The future result is a MatteError or None."""
    from realtime_matte.render.plate_file import write_plate  # noqa: PLC0415 -- Pillow, for this option only

    write = partial(write_plate, named(file), plate.export(origin))
    future, _ = start_thread(write, name="plate", daemon=False, writes=True)
    return future


def origin_of(parts: "Parts", values: Mapping[str, object]) -> PlateOrigin:
    """What a plate is made with now. ``values``: of the options that can change."""
    camera, exposure = _camera(str(values["camera"]))
    width, height = parts.outputs.format.size
    view = ", ".join(f"{name.replace('_', '-')} {_word(values[name])}" for name in VIEW if name in values)
    return PlateOrigin(camera, parts.capture.state.size, f"size {width}x{height}, {view}", exposure)


def _camera(spec: str) -> tuple[str, int | None]:
    """The name of the camera, where it is known without opening it, and its exposure; else the spec."""
    try:
        plugin = source_plugin(spec)
        if plugin.name == "camera" and sys.platform == "linux":
            cameras = LinuxCameras()
            camera = cameras.find(plugin.rest)
            return camera.name, cameras.exposure(camera)
    except MatteError:
        pass  # it is gone: then there is no frame either
    return masked(spec), None


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
