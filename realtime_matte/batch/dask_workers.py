"""Workers of a Dask cluster that runs already: ``--dask tcp://host:8786``. The package is installed on each of them."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from realtime_matte import __version__
from realtime_matte.batch.running import Event, Notice, run_on
from realtime_matte.batch.task import Task
from realtime_matte.errors import MatteError, MissingDependency, SourceError, SpecError

CONNECT_S: Final = 10.0

INSTALL: Final = "pip install 'realtime-matte[dask]'"


def run_on_dask(address: str, tasks: Sequence[Task]) -> Iterator[Event]:
    """Run all tasks on the workers of a scheduler.

    Dask gives the tasks of a lost worker to another one; a task whose workers were lost several times fails.

    Raises:
        MissingDependency: Dask is not installed here, or this package on a worker.
        SourceError: There is no scheduler at that address.
        SpecError: A worker has another version of this package.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SourceError(
            f"no Dask scheduler answers at {address!r}: {error}", hint="start it: dask scheduler"
        ) from error
    with client:
        if not _check_versions(client):
            yield Notice(f"the Dask scheduler has no workers: waiting for one; start it: dask worker {address}")
        yield from run_on(client.get_executor(pure=False), tasks)


def _distributed() -> Any:  # noqa: ANN401 - an optional package
    try:
        return import_module("distributed")
    except ImportError as error:
        raise MissingDependency(f"Dask cannot be loaded ({error})", hint=INSTALL) from error


def _check_versions(client: Any) -> bool:  # noqa: ANN401 - a distributed.Client
    """Whether there is any worker; more may come later."""
    try:
        versions: dict[str, str] = client.run(worker_version)
    except MatteError:
        raise
    except Exception as error:
        raise MissingDependency(f"a worker cannot load this package: {error}", hint=f"there too: {INSTALL}") from error
    for address, version in versions.items():
        if version != __version__:
            raise SpecError(f"the worker {address} has version {version}, not {__version__}", hint="install the same")
    return bool(versions)


def worker_version() -> str:
    """The version of this package in the process that calls it."""
    return __version__
