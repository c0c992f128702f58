"""The errors users meet: each says what failed, with the value, and has a hint that says what to do."""

import errno
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final


def _reinstall_hint() -> str:
    """How this copy of rtmatte is installed again: a bundle and a Debian package have the hint in a file."""
    try:
        return Path(__file__).with_name("_reinstall.txt").read_text("utf-8").strip()
    except OSError:
        return "install rtmatte again: pip install --force-reinstall . in its folder"


REINSTALL: Final = _reinstall_hint()

LINE_LIMIT: Final = 480
"""Longest message, in characters: it stays readable, and six lines of a terminal."""

GAP: Final = " ... "

PASSWORDS: Final = (
    (re.compile(r"(\w://[^\s:/]*):[^\s/]*@"), r"\1:***@"),
    (re.compile(r"([?&](?:pass|passwd|password|pwd|token|key|auth|secret)=)[^\s&#]+", re.IGNORECASE), r"\1***"),
)
"""Passwords in URLs: ``rtsp://user:password@host``, ``http://host/?pwd=password``; too much is hidden in doubt."""

ENVIRONMENT: Final = {
    "numba": ("NUMBA_",),
    "llvmlite": ("NUMBA_", "LLVMLITE_"),
    "cv2": ("OPENCV_",),
    "onnxruntime": ("ORT_",),
    "numpy": ("NPY_", "OPENBLAS_"),
}
"""Packages that refuse wrong environment variables when they are imported, and how those variables begin."""

OWN_VARIABLES: Final = {"OPENCV_LOG_LEVEL", "ORT_DISABLE_TELEMETRY"}
"""Variables that this program sets itself, to values that are accepted."""

SYNONYMS: Final = {"background": "bg", "source": "camera"}
"""Names that users try for options whose names are not close to them."""


CLOSE: Final = 0.61
"""Similarity from which a name is suggested for an unknown one, of 1: colour is not blur, which has 0.6."""


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


class NoMatte(ModelError):
    """A network works, but has no matte of this frame, such as a keyer without a screen. It is not opened again."""


class MissingDependency(MatteError, ImportError):
    """A package, a system library or an optional extra is missing; the hint names what to install."""


HINTS: Final = {
    errno.EMFILE: "close pages and devices, or raise the limit: ulimit -n 4096",
    errno.ENFILE: "close other programs",
    errno.ENOSPC: "free space on the disk",
    errno.EDQUOT: "free space on the disk",
    errno.ENOMEM: "close other programs",
    errno.EACCES: "change its permissions, or choose another one",
    errno.EPERM: "change its permissions, or choose another one",
}
"""What to do about what the system refuses."""


def read_hint(error: OSError, otherwise: str = "name an existing file") -> str:
    """What to do about a file or folder that cannot be read."""
    return HINTS.get(error.errno or 0, otherwise)


def refused_by_system(error: OSError) -> MatteError:
    """The error to show for what the system refused, such as for want of space; a MatteError is returned itself.

    Example:
        >>> print(refused_by_system(OSError(errno.ENOSPC, "No space left on device", "me.mp4")))
        the system refuses 'me.mp4': No space left on device; free space on the disk
    """
    if isinstance(error, MatteError):
        return error
    what = f" {os.fsdecode(error.filename)!r}" if isinstance(error.filename, str | bytes) else " this"
    hint = HINTS.get(error.errno or 0, "try again, or restart rtmatte")
    shown = MatteError(f"the system refuses{what}: {error.strerror or error}", hint=hint)
    shown.__cause__ = error
    return shown


def is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is the cause of the error: a C extension whose import it ends raises an ImportError instead."""
    while error:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def missing_dependency(error: Exception) -> MissingDependency:
    """The error to show for a package that is missing or cannot be loaded.

    Raises:
        KeyboardInterrupt: Ctrl-C ended the import.
        Exception: ``error`` itself, where it is a bug: it was not raised by the import of a package, or a module of
            this package is missing.
    """
    if is_interrupt(error):
        raise KeyboardInterrupt from error
    text, package = str(error), _imported_package(error)
    if not isinstance(error, ImportError):
        if package not in ENVIRONMENT:
            raise error
        return _refused_environment(package, text)
    if error.name and error.name.startswith("realtime_matte"):
        raise error
    if "failed to map" in text or "annot allocate memory" in text:
        return MissingDependency(f"not enough memory to load a package ({text})", hint="close other programs")
    library = _missing_library(text)
    if library and package in {"", "cv2"}:
        return MissingDependency(f"OpenCV cannot load the system library {library}", hint=_system_package(library))
    if isinstance(error, ModuleNotFoundError):
        return MissingDependency(f"the package {error.name!r} is missing", hint=REINSTALL)
    if "DLL load failed" in text:
        return MissingDependency(
            text, hint=f"install Microsoft's Visual C++ Redistributable (x64); if that does not help, {REINSTALL}"
        )
    return MissingDependency(f"a package cannot be loaded ({text})", hint=REINSTALL)


def printable(text: str, limit: int = LINE_LIMIT) -> str:
    r"""The text in one line that is safe for a terminal: every message and every foreign name is printed through this.

    Control codes, line breaks and marks that change the direction of writing, which could forge a line, become escapes
    such as ``\x1b``; passwords in URLs become ``***``. Of a text with more than ``limit`` characters, the middle is
    left out: messages begin with what failed and end with what to do.

    Example:
        >>> print(printable("a\nb"), printable("x" * 100, limit=16))
        a\nb xxxxxx ... xxxxx
    """
    text = _without_middle(masked(_without_middle(text, 20 * limit)), limit)
    if text.isprintable():
        return text
    escaped = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return _without_middle("".join(escaped), limit)


def suggest(word: str, known: Iterable[str], hint: str, *, prefix: str = "") -> str:
    """The hint of an error for an unknown name, after the known name that is closest to it, if one is close.

    Args:
        word: The unknown name.
        known: The names there are.
        hint: The rest of the hint.
        prefix: What the suggested name is shown with, such as ``--``.

    Example:
        >>> suggest("mirorr", ["model", "mirror"], "there are: mirror, model", prefix="--")
        'did you mean --mirror? there are: mirror, model'
    """
    from difflib import get_close_matches  # noqa: PLC0415 -- needed for an error only

    names = {name: name for name in known}
    names = {synonym: name for synonym, name in SYNONYMS.items() if name in names} | names
    close = get_close_matches(word, list(names), n=1, cutoff=CLOSE)
    return f"did you mean {prefix}{names[close[0]]}? {hint}" if close else hint


def masked(text: str) -> str:
    """The text with ``***`` in the place of the passwords in its URLs.

    Example:
        >>> print(masked("rtsp://me:secret@camera/live?pwd=secret&channel=1"))
        rtsp://me:***@camera/live?pwd=***&channel=1
    """
    for pattern, replacement in PASSWORDS:
        text = pattern.sub(replacement, text)
    return text


def _without_middle(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    kept = limit - len(GAP)
    return f"{text[: kept - kept // 2]}{GAP}{text[len(text) - kept // 2 :]}"


def _imported_package(error: Exception) -> str:
    """The package whose import raised the error; empty if it was raised later, or by a module of this package."""
    package, trace = "", error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_name == "<module>":
            package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        trace = trace.tb_next
    return "" if package in {"realtime_matte", "__main__"} else package


def _refused_environment(package: str, text: str) -> MissingDependency:
    """The error for a package that was imported with variables that it refuses, or failed for an unknown reason."""
    names = [name for name in os.environ if name.startswith(ENVIRONMENT[package]) and name not in OWN_VARIABLES]
    hint = f"correct or unset the environment variable {', '.join(names)}" if names else REINSTALL
    return MissingDependency(f"the package {package!r} cannot be loaded ({text})", hint=hint)


def _missing_library(text: str) -> str:
    """The shared library that the system lacks; empty if none is named, or one that belongs into a package's wheel."""
    found = re.search(r"\b(lib[\w.+-]+\.so[.0-9]*)[: ].*No such file", text)
    in_wheel = found is not None and re.search(r"-[0-9a-f]{8}\.so", found[1])
    return found[1] if found and not in_wheel else ""


def _system_package(library: str) -> str:
    """How to install a shared library. Fedora's packages can be named by the libraries that they provide."""
    debian = dict.fromkeys([_debian_package(library), "libgl1", "libglib2.0-0"])
    return (
        f"Debian and Ubuntu: sudo apt install {' '.join(debian)};"
        f" Fedora: sudo dnf install '{library}()(64bit)' mesa-libGL glib2;"
        f" Arch: install the package that pacman -F {library} names"
    )


def _debian_package(library: str) -> str:
    """The package of a shared library by Debian's naming rule (Debian Policy 8.1): libX11.so.6 is in libx11-6."""
    if library.startswith(("libglib-2.0", "libgthread-2.0", "libgobject-2.0", "libgio-2.0")):
        return "libglib2.0-0"
    name, _, version = library.lower().partition(".so")
    major = version.lstrip(".").partition(".")[0]
    return f"{name}-{major}" if name[-1].isdigit() else name + major
