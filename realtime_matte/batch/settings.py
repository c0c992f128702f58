"""What is made of each clip: the settings that all clips of a call share, checked once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final

from realtime_matte import plugins
from realtime_matte.batch import formats
from realtime_matte.batch.formats import FileFormat, Write
from realtime_matte.config.parsers import FITS, MAX_THREADS
from realtime_matte.errors import MissingFile, SpecError, read_hint
from realtime_matte.interfaces import Fit
from realtime_matte.models import AUTO
from realtime_matte.paths import is_file, is_folder

DEFAULT_MODEL: Final = "large"
"""Nothing waits for a batch: the network that errs least."""

DEFAULT_WARMUP_S: Final = 2.0
MAX_WARMUP_S: Final = 60.0
DEFAULT_FPS: Final = 25.0
MAX_FPS: Final = 240.0

CHECKED_SIZE: Final = (64, 36)


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Settings of a batch.

    Args:
        write: ``alpha``, ``foreground`` or ``composite``.
        format: A name of ``formats.FORMATS``; None: ``png16`` for alpha, ``prores`` for foreground, ``mp4`` for a
            composite.
        background: What is behind a composite, as ``--bg``; other results ignore it.
        fit: How a background of another shape fills the frame.
        model: As ``--model``. ``auto`` is the default network here, as every worker must choose the same.
        provider: Use this ONNX Runtime provider or fail.
        threads: CPU threads of the network in each worker.
        first: Number of the first frame that is written; None: the clip's first one.
        last: Number of the last one; None: the clip's last one.
        warmup_s: Seconds before ``first`` that are matted and thrown away.
        cuts: Find cuts, and start again at each.
        fps: Frame rate of image sequences.

    Raises:
        SpecError, MissingFile: A value is not possible.

    Example:
        >>> BatchSettings(write="alpha").file_format.name
        'png16'
    """

    write: Write = "foreground"
    format: str | None = None
    background: str = "studio"
    fit: Fit = "cover"
    model: str = DEFAULT_MODEL
    provider: str | None = None
    threads: int = 1
    first: int | None = None
    last: int | None = None
    warmup_s: float = DEFAULT_WARMUP_S
    cuts: bool = True
    fps: float = DEFAULT_FPS

    def __post_init__(self) -> None:
        if self.write not in formats.WRITES:
            raise SpecError(f"write is {self.write!r}", hint=f"it must be one of: {', '.join(formats.WRITES)}")
        formats.choose(self.format, self.write)
        if self.fit not in FITS:
            raise SpecError(f"fit is {self.fit!r}", hint=f"it must be one of: {', '.join(FITS)}")
        self._check_numbers()
        if self.model == AUTO:
            object.__setattr__(self, "model", DEFAULT_MODEL)
        object.__setattr__(self, "model", absolute(self.model))
        object.__setattr__(self, "background", absolute(self.background))
        if self.write == "composite":
            _check_background(self.background, self.fit)

    @property
    def file_format(self) -> FileFormat:
        """The format of clips and sequences."""
        return formats.choose(self.format, self.write)

    @property
    def has_range(self) -> bool:
        """Whether only a part of each clip is written."""
        return self.first is not None or self.last is not None

    def identity(self) -> Mapping[str, Any]:
        """What a result depends on, as JSON: with another one, it must be made again."""
        values = asdict(self) | {"format": self.file_format.name}
        if self.write == "composite":
            values["background_file"] = _stamp(self.background)
        else:
            del values["background"], values["fit"]
        if self.first is None:
            del values["warmup_s"]
        return values

    def _check_numbers(self) -> None:
        if not (isinstance(self.threads, int) and 1 <= self.threads <= MAX_THREADS):
            raise SpecError(f"threads is {self.threads!r}", hint=f"it must be a whole number from 1 to {MAX_THREADS}")
        if not (isfinite(self.warmup_s) and 0 <= self.warmup_s <= MAX_WARMUP_S):
            hint = f"it must be a number of seconds from 0 to {MAX_WARMUP_S:g}"
            raise SpecError(f"warmup is {self.warmup_s!r}", hint=hint)
        if not (isfinite(self.fps) and 0 < self.fps <= MAX_FPS):
            raise SpecError(f"fps is {self.fps!r}", hint=f"it must be a number above 0, up to {MAX_FPS:g}")
        first = self.first or 0
        if first < 0 or (self.last is not None and self.last < first):
            raise SpecError(f"the range {self.first}-{self.last} has no frame", hint="write it as in 100-199")


def absolute(spec: str) -> str:
    """The spec with the path of an existing file or folder made absolute: workers may run in another folder."""
    word, colon, rest = spec.partition(":")
    name, question, options = (rest if colon else spec).partition("?")
    if not (is_file(name) or is_folder(name)) or (not colon and not _is_path(name)):
        return spec
    path = f"{Path(name).absolute()}{question}{options}"
    return f"{word}:{path}" if colon else path


def _is_path(name: str) -> bool:
    """Whether a name without a word is meant as a path: ``beach`` is a drawn scene, also beside a file called beach."""
    return "/" in name or "\\" in name or bool(Path(name).suffix)


def _check_background(spec: str, fit: Fit) -> None:
    """Open it once, so that an error is reported before anything is made of it, and not once for each clip."""
    plugin = plugins.background(spec)
    if plugin.name == "camera":
        raise SpecError(f"the background {spec!r} is live", hint="a batch needs a file, a colour or a drawn scene")
    background = plugin.open(plugin.rest, size=CHECKED_SIZE, fit=fit)
    if background is None:
        raise SpecError("a composite needs a background, not 'none'", hint="use --write foreground for straight alpha")
    background.close()


def _stamp(spec: str) -> Mapping[str, int] | None:
    """Size and time of the file that a spec names; None if it names none."""
    name = spec.partition(":")[2] or spec
    name = name.partition("?")[0]
    if not is_file(name):
        return None
    try:
        found = Path(name).stat()
    except OSError as error:
        raise MissingFile(f"cannot read {name!r}: {error.strerror}", hint=read_hint(error)) from error
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns}
