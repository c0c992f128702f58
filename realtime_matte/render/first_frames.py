"""Composites by OpenCV while the kernels are loaded or, after an installation, compiled: a quick start, softer edges.

Each frame is composited with its own coarse alpha, enlarged. No kernel is called. Compiling takes seconds of the
interpreter lock, so it runs in a process of its own, which leaves the kernels in the disk cache.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from realtime_matte.effects.chain import Effects
from realtime_matte.errors import NoMatte
from realtime_matte.frame import Alpha, Frame, Matte, Pixels, Size
from realtime_matte.interfaces import Background, Network, RecurrentState, Renderer
from realtime_matte.media import i420
from realtime_matte.render.doubt import DoubtDetector
from realtime_matte.render.refine import CompleteMatte

SOFT_EDGES_NOTICE: Final = "compiling the pixel loops for this processor, once: until then, edges are softer"

_PROGRAM: Final = (
    "import os, sys; sys.path.insert(0, sys.argv[1]); getattr(os, 'nice', int)(5);"
    "from realtime_matte.render.renderer import warm_up; warm_up()"
)


class Compilation:
    """A process that compiles every kernel into the disk cache, at low priority.

    Attributes:
        closed: It was ended by ``close``.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self) -> None:
        self.closed = False
        self._process = subprocess.Popen(  # noqa: S603 -- our own Python
            [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )

    def wait(self) -> int:
        """Wait until it ended, or was ended by ``close``. Returns its exit status."""
        return self._process.wait()

    def close(self) -> None:
        """End it. Idempotent."""
        self.closed = True
        self._process.kill()


class FirstFrames:
    """Renders frames of ``size`` until ``ready`` is done; then by the renderer that ``make`` returns.

    Args:
        network: An open network of the caller's.
        size: (width, height) of the output.
        ready: Done when every kernel is loaded, with a notice or ""; ``render`` raises its error.
        compiling: Whether kernels have to be compiled, which takes seconds.
        make: Makes the renderer that needs the kernels.
        lap: Called with the name of each stage that ended: see Stats.lap.
        effects: The effects of the pipeline.
    """

    def __init__(
        self,
        network: Network,
        *,
        size: Size,
        ready: Future[str],
        compiling: Callable[[], bool],
        make: Callable[[Network, Background | None], Renderer],
        lap: Callable[[str], None],
        effects: Effects | None,
    ) -> None:
        self._network = network
        self._background: Background | None = None
        self._ready = ready
        self._compiling = compiling
        self._make = make
        self._notice = ""
        self._lap = lap
        self._effects = effects
        self._renderer: Renderer | None = None
        self._state: RecurrentState | None = None
        self._grid: Size | None = None
        self._covered = 0.0
        self._doubt = ""
        self._doubt_detector = DoubtDetector()
        self._alpha, self._rest = np.zeros((2, size[1], size[0]), np.float32)
        self._bgr, self._composite = np.zeros((2, size[1], size[0], 3), np.uint8)
        self._weights = np.zeros(3 * size[0], np.uint16)

    @property
    def background(self) -> Background | None:
        """As ``Renderer.background``."""
        return self._background

    @background.setter
    def background(self, background: Background | None) -> None:
        self._background = background
        if self._renderer:
            self._renderer.background = background

    @property
    def notices(self) -> Sequence[str]:
        """The network's notices, and what is compiled."""
        notice = SOFT_EDGES_NOTICE if self._renderer is None and self._compiling() else self._notice
        return [*self._network.notices, notice] if notice else self._network.notices

    @property
    def state(self) -> RecurrentState | None:
        """Of the network, after the last frame."""
        return self._state

    @property
    def doubt(self) -> str:
        """As ``Renderer.doubt``."""
        return self._renderer.doubt if self._renderer else self._doubt

    @property
    def grid(self) -> Size | None:
        """As ``Renderer.grid``."""
        return self._renderer.grid if self._renderer else self._grid

    @property
    def waiting(self) -> bool:
        """Whether there is no renderer with the kernels yet."""
        return self._renderer is None

    @property
    def clean_plate(self) -> object:
        """That of the renderer that is made already; None before."""
        return getattr(self._renderer, "clean_plate", None)

    @property
    def covered(self) -> float:
        """As ``Renderer.covered``."""
        return self._renderer.covered if self._renderer else self._covered

    def render(self, frame: Frame) -> Pixels:
        """The frame's foreground over the background.

        Raises:
            ModelError: There is no matte of this frame, or effects need the kernels.
        """
        if self._renderer is None and self._ready.done():
            self._notice = self._ready.result()
            renderer = self._make(self._network, self._background)
            renderer.continue_shot(self)
            self._renderer = renderer
        if self._renderer:
            return self._renderer.render(frame)
        if self._background is None or (self._effects and self._effects.needs_bgr):
            raise NoMatte("effects and transparent outputs need pixel loops that are not ready yet", hint="wait")
        matte, self._state = self._network.process(frame, self._state)
        self._lap("matte")
        return self._over(self._background, i420.bgr_frame(frame, self._bgr), matte)

    def reset(self) -> None:
        """Start a new shot."""
        self._state, self._doubt, self._doubt_detector = None, "", DoubtDetector()
        if self._renderer:
            self._renderer.reset()

    def continue_shot(self, previous: Renderer) -> None:
        """As ``Renderer.continue_shot``, for a renderer that is made already."""
        if self._renderer:
            self._renderer.continue_shot(previous)

    def close(self) -> None:
        """The network belongs to the caller."""
        if self._renderer:
            self._renderer.close()

    def _over(self, background: Background, frame: Frame, matte: Matte) -> Pixels:
        self._judge(matte.alpha, frame.time)
        cv2.resize(matte.alpha, frame.size, dst=self._alpha, interpolation=cv2.INTER_LINEAR)
        complete = matte.foreground is not None and matte.foreground.shape == frame.pixels.shape
        foreground = matte.foreground if complete and matte.foreground is not None else frame.pixels
        self._lap("refine")
        image = background.image(frame, CompleteMatte(self._alpha, foreground, self._weights))
        self._lap("background")
        cv2.subtract(1.0, self._alpha, dst=self._rest)  # type: ignore[call-overload]  # a scalar is allowed
        cv2.blendLinear(foreground, image, self._alpha, self._rest, dst=self._composite)
        self._lap("composite")
        return self._composite

    def _judge(self, alpha: Alpha, time: float) -> None:
        """Whether the matte covers nearly everything; there is no clean plate that it may reveal."""
        self._grid, self._covered = (alpha.shape[1], alpha.shape[0]), cv2.mean(alpha)[0]
        self._doubt = self._doubt_detector.update(covered=self._covered, revealed=0.0, time=time)
