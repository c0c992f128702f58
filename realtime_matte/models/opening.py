"""From what the user calls a network to one that runs: ``small``, ``rvm.onnx``, ``net.onnx?mean=127.5&std=127.5``."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from realtime_matte.errors import MissingDependency, MissingFile, SpecError
from realtime_matte.interfaces import Network
from realtime_matte.models import onnx_file as graph
from realtime_matte.models import options as settings
from realtime_matte.models.catalog import shipped
from realtime_matte.models.providers import Standing
from realtime_matte.models.weights_folder import weights_folder
from realtime_matte.paths import in_utf8, is_file, named

AUTO: Final = "auto"
"""SMALL on a CPU, LARGER on a GPU that has the time for it."""

SMALL: Final = "small"
LARGER: Final = "large"

LIGHTER: Final = SMALL, f"{SMALL}?quality=low"
"""What AUTO goes down to, one after the other, where a line does not keep up with its camera."""


def open(spec: str = AUTO, *, provider: str | None = None, threads: int | None = None) -> Network:
    """A network by the name of a shipped one, or by the path of an .onnx file; options may follow a ``?``; or AUTO.

    ``provider``: this one or none; left out, the best that is proven to run, with a note for each better one that
    failed. ``threads``: of the CPU; one unless asked for, as a second gave these small networks nothing.

    Raises:
        SpecError: an unknown name, option or provider, or a provider that cannot run here.
        MissingFile, BadFile: the file.
        ModelError: a graph of no known family, or a provider that was asked for and did not run it.
        MissingDependency: ONNX Runtime does not load.
    """
    if threads is not None and threads < 1:
        raise SpecError(f"threads is {threads}", hint="it must be 1 or more")
    word, given = settings.split(spec)
    name = SMALL if word == AUTO else word
    found = graph.read(_path(name))
    starting = _starting()
    larger = starting.Choice(LARGER, weights_folder() / f"{LARGER}.onnx", {}) if word == AUTO and not given else None
    called = name + spec[len(word) :]
    network: Network = starting.start_here(called, found, given, provider=provider, threads=threads or 1, larger=larger)
    return network


def standings() -> list[Standing]:
    """How each provider stands on this machine, best first. Raises MissingDependency."""
    found: list[Standing] = _starting().standings_here()
    return found


def _path(word: str) -> Path:
    there = shipped()
    if word in there:
        return there[word]
    names = ", ".join(there) or "none"
    path = named(word)
    if path.suffix.lower() != ".onnx" and len(path.parts) < 2 and not is_file(path):  # noqa: PLR2004 -- a bare word
        raise SpecError(f"no model called {word!r}", hint=f"there are: {names}; or give the path of an .onnx file")
    if not is_file(path):
        raise MissingFile(f"no model file {word}", hint=f"shipped ones go by their names: {names}")
    return Path(in_utf8(path))


def _starting() -> ModuleType:
    """All that needs ONNX Runtime, which takes a quarter of a second to import."""
    try:
        import_module("onnxruntime")
    except (ImportError, OSError) as error:
        raise MissingDependency(
            f"ONNX Runtime cannot be loaded: {error}",
            hint="pip list names its package: pip install --force-reinstall that",
        ) from error
    return import_module("realtime_matte.models.starting")
