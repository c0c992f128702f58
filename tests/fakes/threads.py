"""Threads that a test has started, whatever other tests have left."""

import threading
from collections.abc import Collection


def started_since(before: Collection[threading.Thread]) -> list[str]:
    """Names of the threads that run now and are not in ``before``, which may have ended in the meantime."""
    return [thread.name for thread in threading.enumerate() if thread not in before]
