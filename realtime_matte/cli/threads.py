"""How many threads the libraries may take in a process of ours."""

import cv2


def few() -> None:
    """Keep OpenCV to the thread that calls it: our pictures are too small to share, and a call needs the other cores.

    For programs of our own; a library leaves this to whoever imports it.
    """
    cv2.setNumThreads(1)
