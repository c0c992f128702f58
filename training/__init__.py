"""Trains, evaluates and exports the networks in weights/. Needs PyTorch; the program never imports it."""

import os

# oneDNN and PyTorch cache prepared convolutions by input size. Dozens of sizes times two hundred convolutions exceed
# their default capacity of a thousand, and preparing them again takes a fifth of the training time. Both variables are
# read when PyTorch is loaded.
for _variable in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_variable, "30000")

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when ONNX Runtime is loaded
