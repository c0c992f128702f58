"""How the networks in weights/ are trained, evaluated and exported. Needs PyTorch; never imported at run time."""

import os

# A network prepares its convolutions for each size of picture. There are dozens of sizes and some two hundred
# convolutions: PyTorch's stores hold a thousand, throw away what comes again soon, and a fifth of the time goes into
# preparing. Both are read when PyTorch is loaded.
for _store in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_store, "30000")

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when ONNX Runtime loads
