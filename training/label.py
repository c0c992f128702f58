"""Label images or clips by the consensus of several networks, to train on cameras of which there are no labels.

    python -m training.label --images FOLDER --out FOLDER --network small --network "rvm.onnx?size=512x288"

Every network votes on each frame as it is, mirrored, and at several scales. Alpha is the median of the votes in each
pixel; the certainty is the share of the votes that agree with it at alpha 0.5. With ``--edges``, alpha near the outline
is the mean of those networks alone, which should be the ones with the best edges, where they agree with the median
(a network that misses a finger does not make it half transparent). Networks are any that
``rtmatte --model`` opens, with its options. Training on such labels, then labelling again with the new network among
the voters, is self-training (Xie et al. 2020, Noisy Student).

``--masks`` has a mask for each image, made by hand or by another program, which votes too: see ``with_mask``.
``--votes`` has grey images by another program, each of which counts as one vote: see ``read_vote``. In clips, where the
votes on a frame disagree, the median of the frames around it decides (training/over_time.py).

For NAME.jpg it writes NAME_alpha.png and NAME_certainty.png (a quarter of the size), for NAME.mp4 the same as lossless
.mkv; people2.csv and clips2.csv, the tables of a pack (training/pack.py); and contact_sheet.jpg of the least certain.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from realtime_matte import models
from realtime_matte.errors import MatteError
from realtime_matte.frame import Alpha, size_text
from realtime_matte.interfaces import Network
from training.consensus import Label, Voters, with_mask
from training.over_time import LabelledFrame, median_over_time, split_shots
from training.pack import Image, read_colour_video

IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
VIDEOS = (".mp4", ".mkv", ".mov", ".webm", ".avi")

SHEET_ROWS = 40
TILE = (240, 180)
"""Width and height of an image in the contact sheet."""

GREEN = (90, 200, 60)

ABSTAINS = 128
"""The grey at which a file of ``--votes`` does not vote: between background and person."""


@dataclass(slots=True)
class Labeller:
    """Labels files into the folder ``out``, and collects the rows of the tables and of the contact sheet.

    ``masks``: a folder with a mask NAME.png of the size of each image NAME; None without. ``votes``: folders with a
    vote NAME.png for some images. ``smoothing``: in clips, the median over time where votes disagree. ``rows``: by the
    name of the table. ``sheet``: pairs of a mean certainty and a row of the sheet.
    """

    voters: Voters
    out: Path
    masks: Path | None = None
    votes: Sequence[Path] = ()
    smoothing: bool = True
    rows: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    sheet: list[tuple[float, Image]] = field(default_factory=list)

    def label_file(self, file: Path) -> float:
        """Write the label of an image or a video. Returns the mean certainty in [0, 1].

        Raises:
            ValueError: the file, or its mask, cannot be read.
        """
        is_video = file.suffix.lower() in VIDEOS
        table, suffix = ("clips2.csv", ".mkv") if is_video else ("people2.csv", ".png")
        paths = [self.out / f"{file.stem}_{kind}{suffix}" for kind in ("alpha", "certainty")]
        try:
            mean, row = (self._label_video if is_video else self._label_image)(file, *paths)
        except av.FFmpegError as error:
            raise ValueError(f"cannot read {file} as a video: {error.strerror}") from error
        kind = () if is_video else ("labelled",)
        self.rows[table].append((str(file.resolve()), *(path.name for path in paths), *kind, "train"))
        self.sheet.append((mean, row))
        return mean

    def _label_image(self, file: Path, alpha: Path, certainty: Path) -> tuple[float, Image]:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"cannot read {file} as an image")
        votes = [folder / f"{file.stem}.png" for folder in self.votes]
        given = [read_vote(vote, image) for vote in votes if vote.exists()]
        label = self.voters.start_shot(given)(image)
        if self.masks:
            label = with_mask(label, read_mask(self.masks / f"{file.stem}.png", image))
        for path, pixels in ((alpha, label.alpha), (certainty, label.certainty)):
            path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        return float(label.certainty.mean()) / 255, sheet_row(image, label, file.name)

    def _label_video(self, file: Path, alpha: Path, certainty: Path) -> tuple[float, Image]:
        means: list[float] = []
        row = None
        with ExitStack() as stack:
            rate = _frame_rate(file)
            write_alpha, write_certainty = (stack.enter_context(_grey_video(path, rate)) for path in (alpha, certainty))
            shots = split_shots(read_colour_video(file))
            for image, label in chain.from_iterable(map(self._label_shot, shots)):
                write_alpha(label.alpha)
                write_certainty(label.certainty)
                means.append(float(label.certainty.mean()) / 255)
                if row is None or means[-1] < min(means[:-1]):
                    row = sheet_row(image, label, f"{file.name}, frame {len(means) - 1}")
        if row is None:
            raise ValueError(f"{file} has no frames")
        return float(np.mean(means)), row

    def _label_shot(self, images: Iterable[Image]) -> Iterable[LabelledFrame]:
        label_frame = self.voters.start_shot()
        frames = ((image, label_frame(image)) for image in images)
        return median_over_time(frames) if self.smoothing else frames

    def finish(self) -> None:
        """Write the tables and the contact sheet of the least certain files."""
        for name, rows in self.rows.items():
            if rows:
                with (self.out / name).open("w", newline="") as file:
                    csv.writer(file).writerows([COLUMNS[name], *rows])
        least_certain = sorted(self.sheet, key=lambda entry: entry[0])[:SHEET_ROWS]
        encoded = cv2.imencode(".jpg", np.vstack([row for _, row in least_certain]))[1]
        (self.out / "contact_sheet.jpg").write_bytes(encoded.tobytes())


COLUMNS = {
    "people2.csv": ("image", "alpha", "sure", "kind", "split"),
    "clips2.csv": ("video", "alpha", "sure", "split"),
}
"""Of the tables that are written."""


def read_mask(file: Path, image: Image) -> Image:
    """A grey image (H, W) of the size of ``image``. Raises ValueError if it is not."""
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ValueError(f"cannot read the mask {file}")
    if mask.shape != image.shape[:2]:
        sizes = [size_text((pixels.shape[1], pixels.shape[0])) for pixels in (mask, image)]
        raise ValueError(f"the mask {file} has {sizes[0]} pixels, its image {sizes[1]}")
    return mask.astype(np.uint8)


def read_vote(file: Path, image: Image) -> Alpha:
    """A grey image of any size as an alpha (H, W) of the size of ``image``; NaN where it is ABSTAINS.

    Raises:
        ValueError: it cannot be read.
    """
    grey = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ValueError(f"cannot read the vote {file}")
    alpha = np.where(grey == ABSTAINS, np.nan, grey / 255).astype(np.float32)
    return cv2.resize(alpha, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)


def count_votes(folder: Path, files: Sequence[Path]) -> str:
    """How many of the images have a vote in a folder. Raises ValueError: none has."""
    images = [file for file in files if file.suffix.lower() in IMAGES]
    count = sum((folder / f"{file.stem}.png").exists() for file in images)
    if not count:
        raise ValueError(f"no image has a vote NAME.png in the folder {folder}")
    return f"{folder}: a vote on {count} of {len(images)} images"


def sheet_row(image: Image, label: Label, name: str) -> Image:
    """The image with its name, alpha, certainty, and the image over green, side by side."""
    opacity = label.alpha[..., None] / 255
    over_green = (image * opacity + np.array(GREEN) * (1 - opacity)).astype(np.uint8)
    grey = (cv2.cvtColor(part, cv2.COLOR_GRAY2BGR) for part in (label.alpha, label.certainty))
    row = np.hstack([_tile(part) for part in (image, *grey, over_green)])
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(row, name, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness, cv2.LINE_AA)
    return row


def _tile(image: Image) -> Image:
    """The image scaled to fit TILE, on black."""
    scale = min(TILE[0] / image.shape[1], TILE[1] / image.shape[0])
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    tile = np.zeros((TILE[1], TILE[0], 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return tile


def _frame_rate(video: Path) -> Fraction:
    with av.open(str(video)) as file:
        if not file.streams.video:
            raise ValueError(f"cannot read {video} as a video: it has no video stream")
        return file.streams.video[0].average_rate or Fraction(30)


@contextmanager
def _grey_video(path: Path, rate: Fraction) -> Iterator[Callable[[Image], None]]:
    """A function that appends a grey frame (H, W) to a lossless video; all frames of one size."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=rate)
        stream.pix_fmt = "gray"

        def write(pixels: Image) -> None:
            if not stream.codec_context.is_open:
                stream.height, stream.width = pixels.shape
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="gray")))

        yield write
        file.mux(stream.encode(None))


def find_files(folder: Path) -> list[Path]:
    """The images and videos of a folder, by name.

    Raises:
        FileNotFoundError: there is no such folder, or none in it.
        ValueError: two of them differ only in their suffix, and so would their labels not.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (*IMAGES, *VIDEOS))
    if not files:
        raise FileNotFoundError(f"no images or videos in the folder {folder}")
    for first, second in pairwise(sorted(files, key=lambda path: path.stem)):
        if first.stem == second.stem:
            raise ValueError(f"{first.name} and {second.name} in {folder} would get the same label; rename one")
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 2 if a file or a network cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except (MatteError, OSError, ValueError) as error:
        print(f"label: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    files = find_files(options.images)
    if options.out.resolve() == options.images.resolve():
        raise ValueError("--out is the folder of the images; choose another one")
    for file in files if options.masks else ():
        mask = options.masks / f"{file.stem}.png"
        if file.suffix.lower() in IMAGES and not mask.exists():
            raise ValueError(f"there is no mask {mask}")
    counts = [count_votes(folder, files) for folder in options.votes]
    options.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        opened: dict[str, Network] = {}
        for spec in (*options.network, *options.edges):
            if spec not in opened:
                opened[spec] = models.open(spec, provider=options.provider)
                stack.callback(opened[spec].close)
        networks, edges = ([opened[spec] for spec in specs] for specs in (options.network, options.edges))
        voters = Voters(networks, edges, options.scales, options.mirrored)
        labeller = Labeller(voters, options.out, options.masks, options.votes, options.smoothing)
        for number, file in enumerate(files, 1):
            print(f"{number}/{len(files)} {file.name}: certainty {labeller.label_file(file):.3f}", flush=True)
    labeller.finish()
    for count in counts:
        print(count)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Label images or clips by the consensus of several networks.")
    parser.add_argument("--images", type=Path, required=True, metavar="FOLDER", help="images and videos to label")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where labels and tables are written")
    parser.add_argument(
        "--network", action="append", required=True, metavar="SPEC", help="votes; as rtmatte --model; may be repeated"
    )
    parser.add_argument(
        "--edges", action="append", default=[], metavar="SPEC", help="decides near the outline; may be repeated"
    )
    parser.add_argument(
        "--scales", type=_scale, nargs="+", default=[1.0], metavar="S", help="of the frame, above 0 and up to 1 (1)"
    )
    parser.add_argument("--masks", type=Path, metavar="FOLDER", help="a mask NAME.png for each image, which votes too")
    parser.add_argument(
        "--votes",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="a grey NAME.png for some of the images, which counts as one vote; 128 abstains; may be repeated",
    )
    parser.add_argument("--no-mirror", action="store_false", dest="mirrored", help="no votes on the mirrored frame")
    parser.add_argument(
        "--no-smoothing",
        action="store_false",
        dest="smoothing",
        help="in clips, no median over five frames where the votes disagree",
    )
    parser.add_argument("--provider", help="of ONNX Runtime, as rtmatte --provider")
    return parser


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 < scale <= 1:
        raise argparse.ArgumentTypeError("a scale is above 0 and at most 1")
    return scale


if __name__ == "__main__":
    sys.exit(main())
