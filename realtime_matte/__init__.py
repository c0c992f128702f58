"""Real-time webcam background removal: camera, matte, new background, virtual camera."""

__version__ = "0.1.0"
