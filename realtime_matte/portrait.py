"""The sample portrait: the demo camera moves it, and providers are verified on it."""

from pathlib import Path

from realtime_matte.frame import Pixels
from realtime_matte.media import image

FACE = 0.44, 0.235
"""Centre of the face, as parts of the width and height."""

_FILE = Path(__file__).parent / "_assets" / "eileen_collins.jpg"


def sample_portrait() -> Pixels:
    """The photograph, (512, 512, 3) BGR."""
    return image.read(_FILE)
