"""A second camera as the background."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from realtime_matte.backgrounds import camera
from realtime_matte.backgrounds.camera import CameraBackground
from realtime_matte.errors import MissingFile, SourceLost
from realtime_matte.frame import Frame, Matte, Pixels, Size

SIZE = (64, 48)
LONG_S = 30.0


class SteppedCamera:
    """A camera whose frames come one by one, each of one grey; it is lost after those."""

    fps = 30.0
    live = True
    frames = None
    notices: Sequence[str] = ("a second camera",)

    def __init__(self, greys: Sequence[int], size: Size = SIZE) -> None:
        self.size = size
        self.closed = threading.Event()
        self.waiting = threading.Semaphore(0)
        self._greys = iter(greys)
        self._permits = threading.Semaphore(1)  # the first frame is read when it is opened

    def step(self) -> None:
        """Let the next frame through, and wait until it has been taken."""
        self.waiting.acquire()
        self._permits.release()
        assert self.waiting.acquire(timeout=LONG_S)
        self.waiting.release()

    def read(self, pixels: Pixels) -> Frame | None:
        self.waiting.release()
        assert self._permits.acquire(timeout=LONG_S)
        grey = next(self._greys, None)
        if grey is None:
            raise SourceLost("the second camera was unplugged")
        pixels[:] = grey
        return Frame(pixels, 0.0, 0)

    def close(self) -> None:
        self.closed.set()


def shown(background: CameraBackground) -> int:
    image = background.image(Frame(np.zeros((48, 64, 3), np.uint8), 0.0, 0), Matte(np.zeros((48, 64), np.float32)))
    assert image.shape == (SIZE[1], SIZE[0], 3)
    assert np.ptp(image) == 0
    return int(image[0, 0, 0])


def stepped(greys: Sequence[int], size: Size = SIZE) -> tuple[SteppedCamera, CameraBackground]:
    source = SteppedCamera(greys, size)
    background = CameraBackground(source, SIZE, "cover")
    source.waiting.acquire()  # that of the first frame
    return source, background


def test_the_newest_image_is_shown() -> None:
    source, background = stepped([10, 20, 30, 40])
    assert shown(background) == 10
    assert shown(background) == 10
    source.step()
    assert shown(background) == 20
    source.step()
    source.step()
    assert shown(background) == 40
    background.close()
    source._permits.release()
    assert source.closed.wait(LONG_S)


@pytest.mark.parametrize("size", [(128, 96), (48, 64), (31, 17)])
def test_a_camera_of_another_size_is_fitted(size: Size) -> None:
    source, background = stepped([90], size)
    assert shown(background) == 90
    background.close()
    source._permits.release()


def test_a_lost_camera_is_an_error_of_the_background() -> None:
    source, background = stepped([10])
    source.waiting.acquire()
    source._permits.release()
    assert source.closed.wait(LONG_S)
    background._thread.join(LONG_S)
    with pytest.raises(SourceLost, match="the second camera was unplugged"):
        shown(background)


def test_a_camera_that_does_not_exist_is_a_readable_error() -> None:
    with pytest.raises(MissingFile, match="the background 'camera:/no/such/device': "):
        camera.open("/no/such/device", size=SIZE, fit="cover")
