"""Drawing an input changes nothing in the process that draws it: the runner draws them in its own threads."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fuzz import inputs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="scheduling policies are those of Linux")


@pytest.mark.parametrize(
    "name",
    [
        *("images/turn-mirrored.avif", "images/tiles.avif", "images/alpha.avif", "images/tiles.heic"),
        *(
            "clips/hdr-pq.mp4",
            "clips/alpha-vp8.webm",
            "clips/alpha-vp9.webm",
            "clips/alpha.apng",
            "clips/interlaced.mpg",
        ),
    ],
)
def test_drawing_leaves_the_priority_of_its_thread(name: str, tmp_path: Path) -> None:
    """Encoders that make their caller's thread a real-time one let threads that spin, as libvpx's, hang for ever."""
    with ThreadPoolExecutor(1) as thread:  # one of its own, so that a failure does not reach other tests
        thread.submit(inputs.write, tmp_path, name).result()
        assert thread.submit(os.sched_getscheduler, 0).result() == os.sched_getscheduler(0)
