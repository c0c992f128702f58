"""The run of a panel as ``rtmatte ctl`` sees it: also while there is no pipeline."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from realtime_matte.control.run import PANEL
from realtime_matte.control.status import Status, StatusReader, without_pipeline
from realtime_matte.panel.supervisor import STARTING, Supervisor
from realtime_matte.pipeline.commands import ENDED, Command, Reply
from realtime_matte.pipeline.pipeline import Pipeline


class PanelRun:
    """A supervised run.

    Args:
        supervisor: Runs the pipelines.
        another_page: Makes a file that leads to the page, and returns its address.
    """

    def __init__(self, supervisor: Supervisor, another_page: Callable[[], str]) -> None:
        self._supervisor = supervisor
        self._another_page = another_page
        self._reader: StatusReader | None = None

    @contextmanager
    def showing(self, pipeline: Pipeline) -> Iterator[None]:
        """The pipeline runs until the end of the block. The pipeline's thread."""
        self._reader = StatusReader(pipeline)
        try:
            yield
        finally:
            if not self._supervisor.quitting:  # else the last figures are kept for the answer to ``quit``
                self._reader = None

    def submit(self, command: Command) -> Reply:
        """Run a command of the supervisor, or ``panel``. Raises MatteError."""
        if command.key != PANEL:
            return self._supervisor.submit(command)
        reply: Reply = Future()
        reply.set_result(self._another_page())
        return reply

    async def status(self, *, fresh: bool = False) -> Status:
        """The status of the pipeline, or why there is none."""
        reader = self._reader
        if reader:
            return await reader.read(fresh=fresh)
        supervisor = self._supervisor
        if supervisor.quitting:
            return without_pipeline(supervisor.config, "ended", ENDED)
        fault = supervisor.current.fault
        return without_pipeline(supervisor.config, "fault" if fault else "starting", str(fault or STARTING))
