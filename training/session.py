"""ONNX Runtime as the training uses it: beside PyTorch, which has the other threads."""

from pathlib import Path

import onnxruntime


def start(network: Path) -> onnxruntime.InferenceSession:
    """The network on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
