"""Where the shipped weights lie: inside the package once installed, beside it in a checkout."""

from pathlib import Path


def weights_folder() -> Path:
    """The folder of the shipped .onnx files; it may be missing from a broken installation."""
    package = Path(__file__).parent.parent
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"
