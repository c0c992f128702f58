"""Environment variables that OpenCV ends the whole process for, tried in another process first."""

import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from realtime_matte.errors import MissingDependency

TRIAL: Final = "import cv2; cv2.setNumThreads(1)"
TRIAL_TIMEOUT_S: Final = 60


def check_opencv_variables(names: Sequence[str]) -> None:
    """Import OpenCV in another process, because it aborts at a variable that it cannot read.

    Args:
        names: Its variables that are set.

    Raises:
        MissingDependency: It does not accept them.
    """
    try:
        trial = subprocess.run(  # noqa: S603 - our own Python
            [sys.executable, "-c", TRIAL], capture_output=True, check=False, timeout=TRIAL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return
    output = trial.stderr.decode(errors="replace")
    if trial.returncode == 0 or "ImportError" in output or "ModuleNotFoundError" in output:  # reported where it is used
        return
    found = re.search(r"Invalid value for parameter \w+: .*?(?= in function|\n|$)", output)
    reason = found[0] if found else "it ends the program"
    raise MissingDependency(
        f"OpenCV does not accept its environment variables ({reason})", hint=f"correct or unset {', '.join(names)}"
    )
