"""All small inputs by name, such as ``clips/cover-first.mp4``: drawn and written by code when a test asks for them."""

from collections.abc import Callable
from pathlib import Path

from fuzz.clips import CLIPS
from fuzz.drawing import encoded, flat
from fuzz.images import BOMBS, FINE, IMAGES
from fuzz.networks import NETWORKS
from fuzz.special import SETTINGS, SPECIAL, content

Writer = Callable[[Path], None]

EMPTY_ROOM = encoded(flat((90, 90, 90), (192, 128)), ".png")
"""What a camera sees: grey, no person in it."""

GROUPS: dict[str, dict[str, Writer]] = {
    "clips": CLIPS,
    "images": IMAGES,
    "bombs": BOMBS | FINE,
    "networks": NETWORKS,
    "settings": SETTINGS,
    "special": SPECIAL,
    "camera": {"room.png": lambda path: content(path, data=EMPTY_ROOM)},
}
"""Writers by group and file name."""


def write(folder: Path, name: str) -> Path:
    """The file of that name below ``folder``, written if it is not there yet."""
    path = folder / name
    if not _exists(path):
        group, _, file = name.partition("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        GROUPS[group][file](path)
    return path


def _exists(path: Path) -> bool:
    """Whether there is anything, also a link that leads nowhere."""
    return path.is_symlink() or path.exists()
