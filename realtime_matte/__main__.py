"""``python -m realtime_matte``, which is the command ``rtmatte``."""

import sys

from realtime_matte.cli import main

sys.exit(main())
