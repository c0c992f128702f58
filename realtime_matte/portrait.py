"""The photograph of a person that comes along: the demo camera moves it, and networks prove themselves on it."""

from pathlib import Path

from realtime_matte.frame import Pixels
from realtime_matte.media import image as images

FACE = 0.44, 0.235
"""Where the face is, as parts of the width and height."""

_PHOTO = Path(__file__).parent / "_assets" / "eileen_collins.jpg"


def photo() -> Pixels:
    """The photograph, (512, 512, 3) BGR."""
    return images.read(_PHOTO)
