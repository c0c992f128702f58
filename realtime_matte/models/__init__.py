"""Matting networks on ONNX Runtime: shipped ones by name, anybody's by the path of an .onnx file."""

from realtime_matte.models.catalog import ModelInfo, installed
from realtime_matte.models.opening import AUTO, LIGHTER, open, standings
from realtime_matte.models.providers import Standing

__all__ = ["AUTO", "LIGHTER", "ModelInfo", "Standing", "installed", "open", "standings"]
