"""A program that reads a camera, as others do, and tells how old each picture's stamp was (stamp.py) when it had it.

    python benchmarks/reader.py /dev/video10 20

One JSON list of milliseconds when so many seconds are over, ``null`` for a picture whose stamp cannot be read. The
first two seconds are not counted. Needs OpenCV and nothing of ours.
"""

import json
import sys
import time

import cv2
from stamp import age_ms

WARM_S = 2.0


def main(device: str, seconds: float) -> int:
    """Read, and tell; 1 where nothing can be read."""
    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    there, picture = capture.read()
    counted_from, ages = time.monotonic() + WARM_S, []
    while there and (now := time.monotonic()) < counted_from + seconds:
        if now >= counted_from:
            ages.append(age_ms(picture, now))
        there, picture = capture.read()
    capture.release()
    print(json.dumps(ages))
    return 0 if there else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
