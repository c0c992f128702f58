"""The whole pipeline: python record_pipeline.py [camera] [output]. By default the demo source, into pipeline.mp4.

For a call: python record_pipeline.py 0 virtualcam. Stop it with Ctrl-C.
"""

import sys
from contextlib import suppress

from realtime_matte import MatteError, Pipeline


def main() -> None:
    """Open, print what was opened, run, close."""
    camera = sys.argv[1] if len(sys.argv) > 1 else "demo?frames=30"
    output = sys.argv[2] if len(sys.argv) > 2 else "pipeline.mp4?overwrite=yes"  # noqa: PLR2004
    try:
        with Pipeline.open(camera, ["blur", "studio"], outputs=[output]) as pipeline, suppress(KeyboardInterrupt):
            print(*pipeline.notices, sep="\n")
            while pipeline.step():
                if pipeline.stats.composites == 15:  # noqa: PLR2004
                    pipeline.request("next_background")
        print(f"{pipeline.stats.composites} frames, {pipeline.stats.report().fps:.1f} frames per second")
    except MatteError as error:
        sys.exit(f"{error.message}\n{error.hint}")


if __name__ == "__main__":
    main()
