"""A network's twin whose convolutions are in 8 bits: less work for CPUs that have instructions for it.

Whether this one has is not asked but measured: without them the twin is slower, and its sums may overflow.
"""

from dataclasses import replace
from pathlib import Path

from realtime_matte.models.family import Family
from realtime_matte.models.onnx_file import Graph
from realtime_matte.models.providers import CPU
from realtime_matte.models.runtime import FAILURES, Runtime, reason
from realtime_matte.models.session import Session, Unproven, start
from realtime_matte.models.verify import WarmUp, check_equal, warm_up

EIGHT_BIT = replace(CPU, title="CPU in 8 bits", mend="install or export the network again")

TWIN = "rtmatte.eight_bit"
"""In a network's metadata: the file of its twin, in the same folder."""


def quicker_twin(graph: Graph, family: Family, runtime: Runtime, *, threads: int, on_cpu: WarmUp) -> Session | None:
    """The twin, seen to give what the network gives in less time; None where it is not there or not quicker.

    Raises:
        Unproven: it does not start, fails, or gives something else.
    """
    if TWIN not in graph.metadata:
        return None
    twin = graph.path.with_name(Path(graph.metadata[TWIN]).name)
    if not twin.is_file():
        return None
    session = start(twin, EIGHT_BIT, runtime, threads=threads)
    try:
        seen = warm_up(session, family)
    except FAILURES as error:
        raise Unproven(reason(error)) from error
    check_equal(seen, on_cpu)
    return session if seen.seconds < on_cpu.seconds else None
