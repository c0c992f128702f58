"""Mattes of pictures that are already there, without a camera or an output."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from math import isfinite

import numpy as np

from realtime_matte import models
from realtime_matte.errors import SpecError
from realtime_matte.frame import Frame, Matte, Pixels, RefinedMatte
from realtime_matte.interfaces import Network, RecurrentState
from realtime_matte.models.checked import Checked
from realtime_matte.render import composite as kernels
from realtime_matte.render.refine import Refiner


def matte_image(picture: Pixels, *, model: str | Callable[[], Network] = "auto", provider: str | None = None) -> Matte:
    """Who is in one picture, (H, W, 3) uint8 BGR: alpha and clean colours at its size. For many, ``matte_frames``.

    Raises:
        MatteError
    """
    return next(matte_frames([picture], model=model, provider=provider))


def matte_frames(
    pictures: Iterable[Pixels],
    *,
    fps: float = 30.0,
    model: str | Callable[[], Network] = "auto",
    provider: str | None = None,
    threads: int | None = None,
) -> Iterator[Matte]:
    """The matte of each picture of one shot, in turn, with the memory of those before it. Each is the caller's to keep.

    A picture of another size starts a new shot. ``fps``: of the shot; what keeps edges still goes by time.

    Raises:
        MatteError
    """
    if not (isfinite(fps) and fps > 0):
        raise SpecError(f"a shot has no {fps!r} frames a second", hint="give a rate above 0, such as 30")
    network = models.open(model, provider=provider, threads=threads) if isinstance(model, str) else model()
    with closing(Checked(network)) as checked:
        state: RecurrentState | None = None
        refiner: Refiner | None = None
        size = 0, 0
        for index, picture in enumerate(pictures):
            frame = Frame(_checked(picture), index / fps, index)
            if refiner is None or frame.size != size:
                state, refiner, size = None, Refiner(frame.size), frame.size
            coarse, state = checked.process(frame, state)
            yield _kept(refiner.refine(frame, coarse))


def composite(matte: Matte, background: Pixels) -> Pixels:
    """The person of a matte of ``matte_image`` or ``matte_frames``, on a background of the same size.

    Raises:
        SpecError
    """
    behind = _checked(background)
    if matte.foreground is None or matte.foreground.shape != behind.shape:
        size = "none" if matte.foreground is None else matte.foreground.shape
        raise SpecError(f"a background is of the foreground's shape {size}, not {behind.shape}", hint="resize it")
    out = np.empty_like(behind)
    kernels.composite(matte.foreground, matte.alpha, behind, np.zeros(3 * out.shape[1], np.uint16), out)
    return out


def _checked(picture: Pixels) -> Pixels:
    if not isinstance(picture, np.ndarray):
        raise SpecError(
            f"a picture is an array, (H, W, 3) uint8 in BGR, not {type(picture).__name__}", hint="read it first"
        )
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:  # noqa: PLR2004
        raise SpecError(f"a picture is (H, W, 3) uint8 in BGR, not {picture.shape} {picture.dtype}", hint="convert it")
    return np.ascontiguousarray(picture)


def _kept(matte: RefinedMatte) -> Matte:
    return Matte(matte.alpha.copy(), matte.foreground.copy())
