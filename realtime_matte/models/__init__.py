"""Matting networks on ONNX Runtime; a module is a family."""
