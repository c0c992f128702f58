"""Replace the background of one image: python replace_background.py [image] [background].

Writes composite.png and cutout.png (with straight alpha). Without arguments it uses the sample portrait on a colour.
"""

import sys

import cv2
import numpy as np

from realtime_matte import BackgroundRemover
from realtime_matte.frame import Pixels
from realtime_matte.portrait import sample_portrait


def main() -> None:
    """Matte, composite, write."""
    image = read(sys.argv[1]) if len(sys.argv) > 1 else sample_portrait()
    with BackgroundRemover() as remover:
        matte = remover.process(image)

    if len(sys.argv) > 2:  # noqa: PLR2004
        background = cv2.resize(read(sys.argv[2]), image.shape[1::-1])
        composite = matte.over(np.asarray(background, np.uint8))
    else:
        composite = matte.over((150, 120, 40))  # blue, green, red
    cv2.imwrite("composite.png", composite)
    cv2.imwrite("cutout.png", matte.bgra())
    print(f"wrote composite.png and cutout.png; {matte.alpha.mean():.0%} of the image is foreground")


def read(path: str) -> Pixels:
    """The image, (H, W, 3) uint8 BGR."""
    image = cv2.imread(path)
    if image is None:
        sys.exit(f"cannot read {path}")
    return np.asarray(image, np.uint8)


if __name__ == "__main__":
    main()
