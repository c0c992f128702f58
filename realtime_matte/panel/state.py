"""What the page shows: the status of the pipeline or the fault, and the commands that change it."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from realtime_matte import __version__
from realtime_matte.control.status import as_json
from realtime_matte.errors import MatteError, masked
from realtime_matte.panel.supervisor import Supervisor
from realtime_matte.pipeline.commands import Command

COMMAND_S: Final = 60.0
"""How long a change may take before its sender gets an error: some providers compile a network for a minute."""

AT_MOST_EVERY_S: Final = 0.2
"""Shortest interval of pushed statuses."""


class PanelState:
    """Reads the state of a supervisor and changes it. Used by one event loop."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self._changed = asyncio.Event()

    async def read(self, *, fresh: bool = False) -> dict[str, Any]:
        """The status, or the fault, and the version. ``fresh``: built after this call."""
        current = self.supervisor.current
        status = as_json(await current.reader.read(fresh=fresh)) if current.reader else None
        fault = current.fault
        return {
            "status": status,
            "fault": {"message": masked(fault.message), "hint": masked(fault.hint)} if fault else None,
            "version": __version__,
        }

    async def run(self, command: Command) -> object:
        """Run a command and wait for its result. Raises MatteError."""
        reply = asyncio.wrap_future(self.supervisor.submit(command))
        try:
            return await asyncio.wait_for(reply, COMMAND_S)
        except TimeoutError as error:
            raise MatteError(f"{command.key} is not done after {COMMAND_S:g} s", hint="see the status") from error
        finally:
            self._changed.set()

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait until a command was run, or for ``timeout_s``; at least AT_MOST_EVERY_S."""
        await asyncio.sleep(AT_MOST_EVERY_S)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), max(0, timeout_s - AT_MOST_EVERY_S))
        self._changed.clear()
