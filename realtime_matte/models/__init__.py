"""Matting networks on ONNX Runtime: shipped ones by name, others by the path of an .onnx file."""

from realtime_matte.models.catalog import ModelInfo, list_models
from realtime_matte.models.opening import AUTO, LIGHTER, open, provider_status
from realtime_matte.models.providers import ProviderStatus

__all__ = ["AUTO", "LIGHTER", "ModelInfo", "ProviderStatus", "list_models", "open", "provider_status"]
