"""The folders of the panel: added backgrounds, the user's own, thumbnails."""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path, user_data_path, user_pictures_path

from realtime_matte.errors import SinkError


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the panel keeps and finds files.

    Attributes:
        data: Holds what was added in the panel.
        cache: Thumbnails, which can be made again.
        user: The user's folder of backgrounds; may not exist.
    """

    data: Path
    cache: Path
    user: Path

    @property
    def added(self) -> Path:
        """Files that were added in the panel."""
        return self.data / "backgrounds"

    @property
    def names(self) -> Path:
        """The users' names of added files."""
        return self.data / "names.json"

    @property
    def recent(self) -> Path:
        """Backgrounds that were used before."""
        return self.data / "recent.json"

    def make(self, folder: Path) -> Path:
        """Create one of them, for this user alone. Raises SinkError."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(
                f"cannot create {folder}: {error.strerror}", hint="check the folder's permissions"
            ) from error
        return folder


def user_folders() -> Folders:
    """Those of this user."""
    return Folders(
        data=user_data_path("rtmatte", appauthor=False),
        cache=user_cache_path("rtmatte", appauthor=False) / "thumbnails",
        user=user_pictures_path() / "rtmatte",
    )
