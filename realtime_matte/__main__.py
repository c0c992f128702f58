"""``python -m realtime_matte`` is ``rtmatte``."""

import sys

from realtime_matte.cli import main

sys.exit(main())
