"""Whether OpenCV has everything that a folder of sources uses of it: `python packaging/opencv_names.py FOLDER`.

Run by the bundle's own Python, since opencv.sh builds some of OpenCV's modules only. Prints the names that are missing,
and ends with status 1 then.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2


def main() -> int:
    """Print the missing names."""
    missing = sorted({name for path in sorted(Path(sys.argv[1]).rglob("*.py")) for name in used(path) if lacks(name)})
    for name in missing:
        print(f"OpenCV {cv2.__version__} of this bundle has no {name}: see BUILD_LIST in opencv.sh", file=sys.stderr)
    return int(bool(missing))


def used(path: Path) -> Iterator[str]:
    """What one source uses, such as cv2.resize and cv2.VideoWriter.fourcc."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and re.fullmatch(r"cv2(\.\w+)+", name := ast.unparse(node)):
            yield name


def lacks(name: str) -> bool:
    """Whether OpenCV has no such object, or only an object without the last attribute."""
    value: object = cv2
    for part in name.split(".")[1:]:
        if not hasattr(value, part):
            return True
        value = getattr(value, part)
    return False


if __name__ == "__main__":
    sys.exit(main())
