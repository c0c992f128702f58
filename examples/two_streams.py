"""Two independent streams on one network: each shot has its own memory, the network is loaded once."""

import time

import cv2

from realtime_matte import BackgroundRemover
from realtime_matte.portrait import sample_portrait

FRAMES = 10


def main() -> None:
    """A portrait and its mirror image, as two cameras would deliver them, in turn."""
    left_camera, right_camera = sample_portrait(), sample_portrait()[:, ::-1]
    with BackgroundRemover("small") as remover:
        left, right = remover.shot(), remover.shot()
        start = time.perf_counter()
        for index in range(FRAMES):
            left_matte = left.process(left_camera, time=index / 25)
            right_matte = right.process(right_camera, time=index / 25)
        frame_ms = (time.perf_counter() - start) / (2 * FRAMES) * 1e3
    both = cv2.hconcat([left_matte.over((0, 160, 0)), right_matte.over((160, 0, 0))])
    cv2.imwrite("two_streams.png", both)
    print(f"{frame_ms:.1f} ms a frame; wrote two_streams.png")


if __name__ == "__main__":
    main()
