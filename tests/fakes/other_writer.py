"""Another program that writes to a file or a folder."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = """\
import importlib, sys
module = importlib.import_module(f"realtime_matte.sinks.{sys.argv[1]}")
sink = module.open(sys.argv[2], size=(64, 48), fps=30.0, alpha=False)
print(flush=True)
input()
"""


@contextmanager
def other_writer(sink: str, path: Path) -> Iterator[None]:
    """A program that has the sink open, from the start to the end of the ``with``, where it is killed."""
    with subprocess.Popen(  # noqa: S603 - our own Python
        [sys.executable, "-c", PROGRAM, sink, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout
            assert other.stdout.readline()
            yield
        finally:
            other.kill()
