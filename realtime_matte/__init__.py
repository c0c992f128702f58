"""Real-time webcam background removal: camera, matte, new background, virtual camera."""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime_matte.errors import MatteError as MatteError
    from realtime_matte.frame import Frame as Frame
    from realtime_matte.frame import Matte as Matte
    from realtime_matte.pipeline.pipeline import Pipeline as Pipeline
    from realtime_matte.remover import composite as composite
    from realtime_matte.remover import matte_frames as matte_frames
    from realtime_matte.remover import matte_image as matte_image

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when ONNX Runtime loads: else it tells its maker of us

__version__ = "0.1.0"

_HOMES = {
    "Frame": "frame",
    "Matte": "frame",
    "MatteError": "errors",
    "Pipeline": "pipeline.pipeline",
    "composite": "remover",
    "matte_frames": "remover",
    "matte_image": "remover",
}
"""Imported on use, so that ``import realtime_matte`` costs nothing."""

__all__ = ["Frame", "Matte", "MatteError", "Pipeline", "composite", "matte_frames", "matte_image"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
