"""The renderer that uploads a frame, runs one graph on it, and downloads the composite: ``--provider cuda?pipeline``.

Backgrounds stay in the device's memory while they do not change. What a graph cannot do is rendered by ``CpuRenderer``:
outputs with alpha, effects on the person, crops, and backgrounds that read the frame or its matte. After a failure of
the provider everything is, from the very frame on that failed: no composite comes from a run that is not trusted.
"""

from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from realtime_matte.effects.chain import Effects
from realtime_matte.errors import ModelError
from realtime_matte.frame import Alpha, Frame, Pixels, Size
from realtime_matte.interfaces import Background, FollowsCamera, Network, Renderer, ShowsStill
from realtime_matte.media import i420
from realtime_matte.models.network import NetworkFile
from realtime_matte.models.runtime import ORT_ERRORS, short_reason
from realtime_matte.models.session import VerificationError
from realtime_matte.render.doubt import DoubtDetector
from realtime_matte.render.frame_controls import ControlValues
from realtime_matte.render.frame_session import FrameSession
from realtime_matte.render.graph_opening import Render, open_session
from realtime_matte.render.renderer import CpuRenderer, check_image

ALPHA: Final = "the output has alpha"
EFFECTS: Final = "effects change the person or the view"
BACKGROUND: Final = "this background reads the frame or its matte"


class GpuRenderer:
    """Renders frames of the size of ``session``, and those that it cannot by ``cpu``.

    ``lap`` is called after each stage with its name: "background", then "matte" for all that the graph does.

    Attributes:
        on_gpu: The last frame was rendered by the graph.
    """

    def __init__(
        self,
        session: FrameSession,
        cpu: CpuRenderer,
        *,
        notices: Sequence[str] = (),
        lap: Callable[[str], None] | None = None,
        effects: Effects | None = None,
    ) -> None:
        self._session: FrameSession | None = session
        self._cpu = cpu
        self._notices = list(notices)
        self._lap = lap or (lambda _: None)
        self._effects = effects
        self._controls = ControlValues(session.size)
        self._doubt_detector = DoubtDetector()
        self._doubt, self._covered = "", 0.0
        self.on_gpu = True
        self._uploaded: Pixels | None = None  # the still background that the session has
        self._reads_matte: Background | None = None  # one that did so
        self._in_bgr = i420.BgrFrames()

    @property
    def background(self) -> Background | None:
        """As ``Renderer.background``."""
        return self._cpu.background

    @background.setter
    def background(self, background: Background | None) -> None:
        self._cpu.background = background
        self._uploaded = None

    @property
    def notices(self) -> Sequence[str]:
        """The network's notices, where the pipeline runs, and why it does not run there."""
        return [*self._cpu.notices, *self._notices]

    @property
    def doubt(self) -> str:
        """As ``Renderer.doubt``."""
        return self._doubt if self.on_gpu else self._cpu.doubt

    @property
    def grid(self) -> Size | None:
        """As ``Renderer.grid``."""
        return self._session.grid if self.on_gpu and self._session else self._cpu.grid

    @property
    def covered(self) -> float:
        """As ``Renderer.covered``."""
        return self._covered if self.on_gpu else self._cpu.covered

    def render(self, frame: Frame) -> Pixels:
        """The frame's foreground over the background."""
        session, background = self._session, self.background
        if session is None or background is None:
            return self._by_cpu(frame, ALPHA)
        if reason := self._reason_for_cpu(background):
            return self._by_cpu(frame, reason)
        frame = self._in_bgr(frame)
        try:
            image = check_image(background.image(frame, _Unknown()), frame.size)
        except _MatteRead:
            self._reads_matte = background
            return self._by_cpu(frame, BACKGROUND)
        self._lap("background")
        try:
            return self._by_gpu(session, frame, image)
        except ORT_ERRORS as error:
            self._session = None
            title, reason = session.title, short_reason(error)
            self._notify(
                f"{title} failed while running ({reason}); now rendering on the CPU until rtmatte is restarted"
            )
        return self._by_cpu(frame, "")

    def reset(self) -> None:
        """Start a new shot."""
        self._cpu.reset()
        self._start_shot()

    def continue_shot(self, previous: Renderer) -> None:
        """Take over the clean plate and the temporal filter of ``previous``."""
        if not isinstance(previous, GpuRenderer):
            self._cpu.continue_shot(previous)
            return
        self._cpu.continue_shot(previous._cpu)  # noqa: SLF001 -- of the same class
        if self._session and previous._session and self._session.continue_shot(previous._session):  # noqa: SLF001
            self._controls = previous._controls  # noqa: SLF001
            self._doubt_detector = previous._doubt_detector  # noqa: SLF001

    def close(self) -> None:
        """Drop the session, which ONNX Runtime frees; the network belongs to the caller. Idempotent."""
        self._session = None
        self._cpu.close()

    def _reason_for_cpu(self, background: Background) -> str:
        effects = self._effects
        if effects and (effects.person or effects.framing or effects.area):
            return EFFECTS
        if isinstance(background, FollowsCamera) or background is self._reads_matte:
            return BACKGROUND
        return ""

    def _by_gpu(self, session: FrameSession, frame: Frame, image: Pixels) -> Pixels:
        """Raises ORT_ERRORS."""
        if not self.on_gpu:
            self._start_shot()
        self.on_gpu = True
        still = isinstance(self.background, ShowsStill) and self.background.still
        if not still or image is not self._uploaded:
            session.set_background(image)
            self._uploaded = image if still else None
        composite, measures = session.run(frame.pixels, self._controls.of(frame))
        self._covered = measures["covered"]
        self._doubt = self._doubt_detector.update(covered=self._covered, revealed=measures["revealed"], time=frame.time)
        self._lap("matte")
        return composite

    def _by_cpu(self, frame: Frame, reason: str) -> Pixels:
        """Rendered on the CPU; the first such frame starts a shot there."""
        if self._session and reason:
            self._notify(f"{reason}: such frames are rendered on the CPU, not by {self._session.title}")
        if self.on_gpu:
            self._cpu.reset()
        self.on_gpu = False
        return self._cpu.render(frame)

    def _start_shot(self) -> None:
        self._controls.reset()
        self._doubt, self._doubt_detector = "", DoubtDetector()
        if self._session:
            self._session.reset()

    def _notify(self, notice: str) -> None:
        if notice not in self._notices:
            self._notices.append(notice)


class _MatteRead(Exception):
    """A background reads the matte, which is on the device."""


class _Unknown:
    """The matte that a background gets: in the device's memory, after the background itself."""

    @property
    def alpha(self) -> Alpha:
        """Not known."""
        self._refuse()

    @property
    def foreground(self) -> Pixels:
        """Not known."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise _MatteRead


def open_renderer(
    pipeline: NetworkFile,
    network: Network,
    cpu: CpuRenderer,
    *,
    size: Size,
    notify: Callable[[str], None],
    lap: Callable[[str], None] | None = None,
    effects: Effects | None = None,
) -> Renderer:
    """The renderer on the provider of ``pipeline``, verified; ``cpu``, with a notice, where that fails.

    Args:
        pipeline: The network's file and the provider.
        network: The same network, open.
        cpu: A renderer of it on the CPU.
        size: (width, height) of the output.
        notify: Gets the notice.
        lap: As of ``GpuRenderer``.
        effects: The effects of the pipeline.
    """

    def reference(image: Pixels) -> Render:
        return CpuRenderer(network, size=size, background=StillImage(image)).render

    try:
        session, notices = open_session(pipeline, size, reference=reference)
    except (ModelError, VerificationError) as error:
        notify(f"the pipeline does not run on {pipeline.provider.title}: {error}; rendering on the CPU")
        return cpu
    runs = f"the whole pipeline runs on {session.title}, as one graph"
    return GpuRenderer(session, cpu, notices=[runs, *notices], lap=lap, effects=effects)


class StillImage:
    """A background of one image."""

    still: Final = True

    def __init__(self, image: Pixels) -> None:
        self._image = image

    def image(self, frame: Frame, matte: object) -> Pixels:  # noqa: ARG002 - the same for every frame
        """The image."""
        return self._image

    def close(self) -> None:
        """Nothing to close."""
