"""Writes the graph of the whole pipeline to a file: ``python scripts/frame_graph.py --size 1280x720 --out frame.onnx``.

For other programs, and for tools that show or compile graphs; rtmatte writes its own when it opens. Inputs and outputs
are described in ``realtime_matte/render/frame_graph.py``.
"""

import argparse
import sys
from pathlib import Path

from realtime_matte.config import parsers
from realtime_matte.errors import MatteError, ModelError
from realtime_matte.frame import Size
from realtime_matte.models import onnx_file
from realtime_matte.models.catalog import shipped_files
from realtime_matte.models.family import identify
from realtime_matte.models.options import split_spec
from realtime_matte.render import frame_graph


def main() -> int:
    """Write the graph. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small", help="a shipped network or a file, with options; small")
    parser.add_argument("--size", type=parsers.size, default="1280x720", help="of the frames; 1280x720")
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file")
    arguments = parser.parse_args()
    try:
        graph = _graph(arguments.model, arguments.size)
        arguments.out.write_bytes(graph.model)
    except (MatteError, ValueError, OSError) as error:
        print(f"cannot write the graph: {error}", file=sys.stderr)
        return 2
    print(f"{arguments.out}: {len(graph.model)} bytes, the network on {graph.grid[0]}x{graph.grid[1]}")
    for state in graph.states:
        print(f"state {state.input} -> {state.output}: {'x'.join(map(str, state.shape))}, zeros at first")
    return 0


def _graph(spec: str, size: Size) -> frame_graph.FrameGraph:
    name, options = split_spec(spec)
    network = onnx_file.read(shipped_files().get(name, Path(name)))
    adapter = identify(network, options)
    if reason := frame_graph.can_include(network, adapter):
        raise ModelError(reason)
    return frame_graph.build(network.path, adapter, size)


if __name__ == "__main__":
    sys.exit(main())
