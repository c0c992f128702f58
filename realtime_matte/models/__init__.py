"""Matting networks on ONNX Runtime: shipped ones by name, others by the path of an .onnx file.

From the outermost to the innermost part:

- ``checked_network`` wraps any network and checks its results.
- ``network`` is the ``Network`` on ONNX Runtime: it switches to the next provider when one fails.
- ``engine`` runs a session for one frame size: preprocess, inference, alpha and recurrent state.
- ``session`` starts a network on one provider.
- ``runtime`` is the only file that calls ONNX Runtime.
"""

from realtime_matte.models.catalog import ModelInfo, list_models
from realtime_matte.models.opening import AUTO, KEYERS, LIGHTER, check_spec, open, provider_status
from realtime_matte.models.providers import ProviderStatus

__all__ = [
    "AUTO",
    "KEYERS",
    "LIGHTER",
    "ModelInfo",
    "ProviderStatus",
    "check_spec",
    "list_models",
    "open",
    "provider_status",
]
