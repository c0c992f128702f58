"""The errors users meet: each says what failed, with the value, and has a hint that says what to do."""

from collections.abc import Sequence
from typing import Final

REINSTALL: Final = "install rtmatte again: pip install --force-reinstall . in its folder"


class MatteError(Exception):
    """An error the user can act on; the command line prints it as one line and exits with status 2.

    Args:
        message: What failed, with the value, and why if that is known. One clause, no full stop.
        hint: What to do about it; empty where nothing is known.
        used_by: Names of the programs that have the device open, where that is why.

    ``str`` of it is both, joined by ``"; "``.

    Example:
        >>> error = MatteError("cannot open /dev/video0: in use by zoom", hint="close it")
        >>> error.message, error.hint
        ('cannot open /dev/video0: in use by zoom', 'close it')
        >>> print(error)
        cannot open /dev/video0: in use by zoom; close it
    """

    def __init__(self, message: str, *, hint: str = "", used_by: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.used_by = tuple(used_by)

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class SpecError(MatteError, ValueError):
    """An option or a spec (such as ``camera:0``) is malformed, unknown or out of range."""


class MissingFile(MatteError, FileNotFoundError):
    """A file or folder that was named does not exist or cannot be read."""


class BadFile(MatteError, ValueError):
    """A file exists but is not what it should be: not an image, not a video, not a model."""


class SourceError(MatteError, OSError):
    """A source cannot be opened: absent, busy, not permitted."""


class SourceLost(SourceError):
    """A source that was running went away (unplugged, suspended, stalled); opening it again may succeed."""


class SinkError(MatteError, OSError):
    """An output cannot be opened or written."""


class ModelError(MatteError, RuntimeError):
    """A network cannot be loaded, is of no known family, or failed while running."""


class MissingDependency(MatteError, ImportError):
    """A package, a system library or an optional extra is missing; the hint names what to install."""


def missing_dependency(error: ImportError) -> MissingDependency:
    """The error to show for a package that is missing or cannot be loaded.

    Raises:
        ImportError: ``error`` itself, where a module of this package is missing: that is a bug of ours.
    """
    text = str(error)
    if "libGL" in text or "libgthread" in text or "libglib" in text:
        return MissingDependency(
            f"OpenCV cannot load a system library ({text})",
            hint="Debian and Ubuntu: sudo apt install libgl1 libglib2.0-0; Fedora: sudo dnf install mesa-libGL glib2",
        )
    if error.name and error.name.startswith("realtime_matte"):
        raise error
    if isinstance(error, ModuleNotFoundError):
        return MissingDependency(f"the package {error.name!r} is missing", hint=REINSTALL)
    if "DLL load failed" in text:
        return MissingDependency(
            text, hint=f"install Microsoft's Visual C++ Redistributable (x64); if that does not help, {REINSTALL}"
        )
    return MissingDependency(f"a package cannot be loaded ({text})", hint=REINSTALL)
