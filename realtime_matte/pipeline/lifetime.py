"""Whoever opens, closes: what a stack of open parts is told to close, and how a source is handed on to its thread."""

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, TypeVar

from realtime_matte.errors import MatteError
from realtime_matte.interfaces import Source


class Closable(Protocol):
    """Anything that is closed by whoever opened it."""

    def close(self) -> None:
        """Idempotent."""


Part = TypeVar("Part", bound=Closable)


def finish(stack: ExitStack, call: Callable[[], None]) -> None:
    """Let ``stack`` make a last call; an error of it never hides the one on its way."""

    def leave(_kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> None:
        try:
            call()
        except MatteError as late:
            if error is None:
                raise
            error.add_note(f"and while closing: {late}")

    stack.push(leave)


def own(stack: ExitStack, part: Part) -> Part:
    """Let ``stack`` close the part."""
    finish(stack, part.close)
    return part


class Loan:
    """An open source, closed here unless somebody takes it over: a thread that reads must be the one that closes."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._taken = False

    def take(self) -> Source:
        """The source, to be closed by whoever takes it."""
        self._taken = True
        return self.source

    def close(self) -> None:
        """Close it if nobody took it over."""
        if not self._taken:
            self.source.close()
