"""A hand-off of one between two threads."""

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Latest(Generic[Item]):
    """Hands items from one thread to another: the newest wins, an unread one is replaced."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None  # this and the rest: guarded by _changed
        self._called = False
        self._over = False
        self._error: Exception | None = None

    def put(self, item: Item) -> Item | None:
        """Offer an item. Gives back the unread one it replaces."""
        with self._changed:
            unread, self._item = self._item, item
            self._changed.notify()
            return unread

    def take(self, timeout_s: float) -> Item | None:
        """The newest item, waited for; None after the timeout, a ``call`` or the end. Raises what it ended with."""
        with self._changed:
            self._changed.wait_for(self._news, timeout_s)
            if self._error:
                raise self._error
            self._called = False
            item, self._item = self._item, None
            return item

    def call(self) -> None:
        """Let the take that waits, or the next one, return at once."""
        with self._changed:
            self._called = True
            self._changed.notify()

    def end(self, error: Exception | None = None) -> None:
        """No more items will come."""
        with self._changed:
            self._over = True
            self._error = error
            self._changed.notify()

    @property
    def ended(self) -> bool:
        """True when the last item was taken."""
        with self._changed:
            return self._over and self._item is None and self._error is None

    def _news(self) -> bool:
        return self._item is not None or self._called or self._over
