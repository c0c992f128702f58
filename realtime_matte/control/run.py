"""What a control server controls: one pipeline, or, in the panel, one pipeline after another."""

from typing import Protocol

from realtime_matte.control.status import Status, StatusReader
from realtime_matte.errors import SpecError
from realtime_matte.pipeline.commands import Command, Reply
from realtime_matte.pipeline.pipeline import Pipeline

PANEL = "panel"
"""The command for the file that leads to the page of the control panel; it is the result."""


class Run(Protocol):
    """A run, as the server's thread uses it."""

    def submit(self, command: Command) -> Reply:
        """Run a command, or raise MatteError. The result of ``snapshot`` is an image, of ``panel`` an address."""

    async def status(self, *, fresh: bool = False) -> Status:
        """The status. ``fresh``: built after this call."""


class PipelineRun:
    """A run of one pipeline, without a control panel. Made in the pipeline's thread."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._reader = StatusReader(pipeline)

    def submit(self, command: Command) -> Reply:
        """Run a command of the pipeline. Raises SpecError."""
        if command.key == PANEL:
            raise SpecError("this run has no control panel", hint="start it with: rtmatte panel")
        return self._pipeline.submit(command)

    async def status(self, *, fresh: bool = False) -> Status:
        """The pipeline's status."""
        return await self._reader.read(fresh=fresh)
