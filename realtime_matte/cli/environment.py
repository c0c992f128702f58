"""Environment variables whose invalid values make a library abort; checked in a subprocess first."""

import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from realtime_matte.errors import MissingDependency

TRIALS: Final = {
    "OPENCV_": ("OpenCV", "import cv2; cv2.setNumThreads(1)"),
    "NUMBA_CPU_": ("Numba", "import numba; numba.njit(lambda: 1)()"),  # LLVM stops at features that it does not know
}
"""Prefix of the variables to the library's name and code in which it aborts."""

TRIAL_TIMEOUT_S: Final = 60


def check_variables(names: Sequence[str]) -> None:
    """Try each library whose variables are among ``names`` in another process.

    Raises:
        MissingDependency: It does not accept them.
    """
    for prefix, (library, code) in TRIALS.items():
        given = [name for name in names if name.startswith(prefix)]
        if given:
            _try(library, code, given)


def _try(library: str, code: str, names: Sequence[str]) -> None:
    try:
        trial = subprocess.run(  # noqa: S603 - our own Python
            [sys.executable, "-c", code], capture_output=True, check=False, timeout=TRIAL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return
    output = trial.stderr.decode(errors="replace")
    if trial.returncode == 0 or "ImportError" in output or "ModuleNotFoundError" in output:  # reported where it is used
        return
    found = re.search(r"Invalid value for parameter \w+: .*?(?= in function|\n|$)", output)
    reason = found[0] if found else "it ends the program"
    raise MissingDependency(
        f"{library} does not accept its environment variables ({reason})", hint=f"correct or unset {', '.join(names)}"
    )
