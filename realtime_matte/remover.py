"""BackgroundRemover: mattes of images and video frames that the caller already has, without a camera or an output."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from realtime_matte import models
from realtime_matte.address_space import check_address_space
from realtime_matte.config import parsers
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Matte, Pixels, check_pixels
from realtime_matte.interfaces import Network, PlateNetwork, RecurrentState
from realtime_matte.models.checked_network import CheckedNetwork
from realtime_matte.render.refine import Refiner

Model: TypeAlias = str | os.PathLike[str] | Callable[[], Network]
"""The name or path of a model, as ``--model`` takes it, or a function that opens a network."""

FRAME_S = 1 / 30
"""Time between two frames whose times are not given: the usual rate of a webcam."""

NO_PIPELINE = "mattes are refined on the CPU: the option pipeline of --provider is for composites of a live pipeline"


class Shot:
    """The mattes of one sequence of frames: the state of the network and of the filters over time.

    Made by ``BackgroundRemover.shot()``. Any number of shots may share a network, one call at a time.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._plate_network = network if isinstance(network, PlateNetwork) else None
        self._state: RecurrentState | None = None
        self._refiner: Refiner | None = None
        self._size = 0, 0
        self._time = 0.0
        self._count = 0

    def process(self, frame: Pixels, time: float | None = None) -> Matte:
        """The matte of the next frame.

        Args:
            frame: (H, W, 3) uint8 BGR. A frame of another size than the one before starts a new shot.
            time: When the frame was captured, in seconds from any start. None: 1/30 s after the frame before.

        Returns:
            A refined matte, which the caller may keep: ``alpha`` (H, W), ``foreground`` (H, W, 3).

        Raises:
            SpecError: ``frame`` is not such an array, or ``time`` is not a number.
            ModelError: The network failed, or gave values that are not an alpha.

        Example:
            >>> with BackgroundRemover("small") as remover:
            ...     shot = remover.shot()
            ...     mattes = [shot.process(np.zeros((90, 160, 3), np.uint8), time=i / 25) for i in range(2)]
            >>> mattes[1].alpha.shape, mattes[1].foreground.shape
            ((90, 160), (90, 160, 3))
        """
        check_pixels(frame)
        if time is not None and not isinstance(time, int | float | np.number):
            raise SpecError(f"time must be a number of seconds, not {time!r}")
        self._time = self._time + FRAME_S if time is None else float(time)
        taken = Frame(np.ascontiguousarray(frame), self._time, self._count)
        self._count += 1
        if self._refiner is None or taken.size != self._size:
            self._state, self._refiner, self._size = None, Refiner(taken.size), taken.size
        if self._plate_network and self._plate_network.sees_plate:
            coarse, self._state = self._plate_network.process(taken, self._state, self._refiner)
        else:
            coarse, self._state = self._network.process(taken, self._state)
        matte = self._refiner.refine(taken, coarse)
        return Matte(matte.alpha.copy(), matte.foreground.copy())

    def reset(self) -> None:
        """Forget the frames before: the next one starts a new shot."""
        self._state, self._refiner = None, None


class BackgroundRemover:
    """Opens a network once and computes mattes of frames with it.

    Frames given to ``process`` are one shot: the network remembers the ones before. For several videos at a time, take
    one ``shot()`` for each. Calls must not overlap; use one remover per thread.

    Args:
        model: A name listed by ``list_models()``, the path of an .onnx file, or a function that opens a Network.
        provider: Use this ONNX Runtime provider or fail. None: the fastest that is verified to work.
        threads: CPU threads of the network. None is one.

    Raises:
        SpecError, MissingFile, BadFile, ModelError, MissingDependency

    Example:
        >>> frame = np.full((90, 160, 3), 128, np.uint8)
        >>> with BackgroundRemover("small") as remover:
        ...     matte = remover.process(frame)
        >>> matte.over((0, 255, 0)).shape
        (90, 160, 3)
    """

    def __init__(self, model: Model = "auto", *, provider: str | None = None, threads: int | None = None) -> None:
        check_address_space()
        network = model() if callable(model) else models.open(_spec(model), provider=provider, threads=threads)
        self._network = CheckedNetwork(network)
        self._shot = Shot(self._network)

    @property
    def model(self) -> str:
        """Name of the network."""
        return self._network.name

    @property
    def provider(self) -> str:
        """The ONNX Runtime provider that runs it."""
        return self._network.provider

    @property
    def notices(self) -> Sequence[str]:
        """Every fall-back, with its reason and what to do."""
        return [*self._network.notices, NO_PIPELINE] if self._network.pipeline else self._network.notices

    def process(self, frame: Pixels, time: float | None = None) -> Matte:
        """The matte of the next frame of the remover's own shot; see ``Shot.process``.

        Example:
            >>> with BackgroundRemover("small") as remover:
            ...     remover.process(np.zeros((90, 160, 3), np.uint8)).alpha.dtype
            dtype('float32')
        """
        return self._shot.process(frame, time)

    def reset(self) -> None:
        """Forget the frames that ``process`` got: the next one starts a new shot.

        Example:
            >>> with BackgroundRemover("small") as remover:
            ...     remover.reset()
        """
        self._shot.reset()

    def shot(self) -> Shot:
        """An independent shot on the same network. It needs no closing, and ends with the remover.

        Example:
            >>> with BackgroundRemover("small") as remover:
            ...     left, right = remover.shot(), remover.shot()
        """
        return Shot(self._network)

    def close(self) -> None:
        """Free the network. Idempotent.

        Example:
            >>> BackgroundRemover("small").close()
        """
        self._network.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def matte_image(image: Pixels, *, model: Model = "auto", provider: str | None = None) -> Matte:
    """The matte of one image. It opens the network; for several images take a BackgroundRemover.

    Args:
        image: (H, W, 3) uint8 BGR.
        model: As for BackgroundRemover.
        provider: As for BackgroundRemover.

    Returns:
        ``alpha`` (H, W) and ``foreground`` (H, W, 3).

    Raises:
        MatteError: As BackgroundRemover and Shot.process.

    Example:
        >>> matte_image(np.zeros((90, 160, 3), np.uint8), model="small").bgra().shape
        (90, 160, 4)
    """
    with BackgroundRemover(model, provider=provider) as remover:
        return remover.process(image)


def matte_frames(
    frames: Iterable[Pixels],
    *,
    fps: float = 30.0,
    model: Model = "auto",
    provider: str | None = None,
    threads: int | None = None,
) -> Iterator[Matte]:
    """The matte of each frame of one video, in order.

    Args:
        frames: Arrays (H, W, 3) uint8 BGR, taken one by one. One of another size starts a new shot.
        fps: Frame rate of the video: the filters over time are in seconds.
        model: As for BackgroundRemover.
        provider: As for BackgroundRemover.
        threads: As for BackgroundRemover.

    Yields:
        Mattes that the caller may keep.

    Raises:
        MatteError: As BackgroundRemover and Shot.process.

    Example:
        >>> frames = [np.zeros((90, 160, 3), np.uint8)] * 2
        >>> [matte.alpha.shape for matte in matte_frames(frames, fps=25, model="small")]
        [(90, 160), (90, 160)]
    """
    if not (isfinite(fps) and fps > 0):
        raise SpecError(f"fps is {fps!r}, not a number above 0", hint="give the frame rate of the video, such as 30")
    with BackgroundRemover(model, provider=provider, threads=threads) as remover:
        for index, frame in enumerate(frames):
            yield remover.process(frame, index / fps)


def composite(matte: Matte, background: Pixels) -> Pixels:
    """``matte.over(background)``, as a function.

    Args:
        matte: A matte with foreground colours.
        background: (H, W, 3) uint8 BGR of the same size.

    Raises:
        SpecError: The shapes differ, or the matte has no foreground.

    Example:
        >>> composite(Matte(np.float32([[0]]), np.zeros((1, 1, 3), np.uint8)), np.uint8([[[7, 8, 9]]])).tolist()
        [[[7, 8, 9]]]
    """
    return matte.over(background)


def _spec(model: str | os.PathLike[str]) -> str:
    try:
        return parsers.spec(model)
    except SpecError:
        raise
    except ValueError as error:
        raise SpecError(f"model: {model!r} is not {error}") from error
