"""The command ``rtmatte``, also as ``python -m realtime_matte``."""

import sys

from realtime_matte.cli.signals import INTERRUPTED, Signals


def main() -> int:
    """Run the command line of this process. Signals are caught before anything else is imported."""
    signals = Signals()
    signals.catch()
    try:
        from realtime_matte.cli.main import main as run  # noqa: PLC0415

        return run(signals=signals)
    except KeyboardInterrupt:  # after the command, which has its own
        return INTERRUPTED
    finally:
        signals.finish()


if __name__ == "__main__":
    sys.exit(main())
