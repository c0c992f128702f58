"""Open a network by its spec: ``small``, ``rvm.onnx``, ``net.onnx?mean=127.5&std=127.5``.

The module is not called ``open``, since ``models.open`` is the function.
"""

from importlib import import_module
from pathlib import Path
from typing import Final

from realtime_matte.config.parsers import MAX_THREADS
from realtime_matte.errors import MissingDependency, MissingFile, SpecError, is_interrupt, suggest
from realtime_matte.interfaces import Network
from realtime_matte.models.catalog import ModelFile, shipped_files, weights_folder
from realtime_matte.models.options import UNLIMITED, UNVERIFIED, split_spec
from realtime_matte.models.providers import ProviderStatus, list_status, requested_provider
from realtime_matte.paths import check_regular, in_utf8, is_file, named

AUTO: Final = "auto"
"""SMALL on a CPU, LARGE on a GPU that is fast enough for it."""

SMALL: Final = "small"
LARGE: Final = "large"

LIGHTER: Final = SMALL, f"{SMALL}?quality=low"
"""Models that replace AUTO, one after the other, while the pipeline is slower than its camera."""


KEYERS: Final = ("chromakey",)
"""What computes mattes without a network: modules of this package. They are not verified on the sample portrait."""


def open(spec: str = AUTO, *, provider: str | None = None, threads: int | None = None) -> Network:
    """Open a network on the best provider that is verified to run it.

    Args:
        spec: Name of a shipped network or path of an .onnx file, with options after a ``?``; or AUTO.
        provider: Use this one or fail. None: the best that is verified; ``notices`` has one entry for each better one
            that failed.
        threads: CPU threads. None is one: a second did not make these small networks faster.

    Raises:
        SpecError: an unknown name, option or provider, or a provider that cannot run here.
        MissingFile, BadFile: the file; one whose first frames need too much memory or time, unless the spec has the
            option ``unlimited``.
        ModelError: a graph of no known family; one that does not find the person of the sample portrait, unless the
            spec has the option ``unverified``; or the requested provider failed verification.
        MissingDependency: ONNX Runtime cannot be loaded.
    """
    if threads is not None and (not isinstance(threads, int) or not 1 <= threads <= MAX_THREADS):
        raise SpecError(f"threads is {threads!r}", hint=f"it must be a whole number from 1 to {MAX_THREADS}")
    keyer = spec.partition("?")[0]
    if keyer in KEYERS:
        network: Network = import_module(f"{__package__}.{keyer}").open(spec.removeprefix(keyer), provider=provider)
        return network
    word, options = split_spec(spec)
    unverified = options.pop(UNVERIFIED, False)
    unlimited = options.pop(UNLIMITED, False)
    name = SMALL if word == AUTO else word
    model = ModelFile(name + spec[len(word) :], _path(name), options)
    gpu_model = ModelFile(LARGE, weights_folder() / f"{LARGE}.onnx", {}) if word == AUTO and not options else None
    _load_onnxruntime()
    from realtime_matte.models import best_provider, runtime  # noqa: PLC0415 -- they import ONNX Runtime, 0.25 s

    return best_provider.start(
        model,
        gpu_model=gpu_model,
        find_person=not unverified and name not in shipped_files(),
        limited=not unlimited and name not in shipped_files(),
        provider=provider,
        threads=threads or 1,
        runtime=runtime.installed_runtime(),
        machine=runtime.this_machine(),
    )


def check_spec(spec: str, *, provider: str | None = None) -> None:
    """Check names, options and the file of a spec, and that the provider can run here, without opening the network.

    Raises:
        SpecError, MissingFile, BadFile, MissingDependency: As ``open``.
    """
    if spec.partition("?")[0] in KEYERS:
        open(spec, provider=provider).close()
        return
    word, _ = split_spec(spec)
    if word != AUTO:
        _path(word)
    if provider is not None:
        _load_onnxruntime()
        from realtime_matte.models import runtime  # noqa: PLC0415 -- as above

        requested_provider(provider, runtime.this_machine())


def provider_status() -> list[ProviderStatus]:
    """The providers and whether they can run on this machine, best first. Raises MissingDependency."""
    _load_onnxruntime()
    from realtime_matte.models import runtime  # noqa: PLC0415 -- as above

    return list_status(runtime.this_machine())


def _path(name: str) -> Path:
    """The file of a shipped network, or the one at a path. Raises SpecError, MissingFile, BadFile."""
    shipped = shipped_files()
    if name in shipped:
        return shipped[name]
    names = ", ".join(shipped) or "none"
    path = named(name)
    if path.suffix.lower() != ".onnx" and len(path.parts) < 2 and not is_file(path):  # noqa: PLR2004 -- a bare word
        hint = suggest(
            name,
            [AUTO, *shipped, *KEYERS],
            f"choose one of: {names}, {', '.join(KEYERS)}; or give the path of an .onnx file",
        )
        raise SpecError(f"unknown model {name!r}", hint=hint)
    try:
        check_regular(path)
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise MissingFile(f"model file {name} {reason}", hint=f"shipped models are: {names}") from error
    return Path(in_utf8(path))


def _load_onnxruntime() -> None:
    try:
        import_module("onnxruntime")
    except (ImportError, OSError) as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        raise MissingDependency(
            f"cannot load ONNX Runtime: {error}",
            hint="find the name of its package with pip list, and pip install --force-reinstall it",
        ) from error
