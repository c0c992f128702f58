"""Our whole line as a contender (contest.py): ``python benchmarks/line.py PLAN``, a JSON object."""

import json
import sys
from contextlib import closing

from contest import serve

from realtime_matte.benchmark.rounds import Line, Plan
from realtime_matte.cli import threads

WARM = 20


def main(wanted: str) -> int:
    """Serve rounds."""
    threads.few()
    given = json.loads(wanted)
    with closing(Line(Plan(**given | {"size": tuple(given["size"])}))) as line:
        for _ in range(WARM):
            line.step()
        serve(line.step)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
