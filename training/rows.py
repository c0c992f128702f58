"""The rows of a pack: which are read, and the terms of their images, file by file.

A pack is a folder with ``pack.csv`` (image, alpha, source, split, teacher_iou), ``clips.csv`` (video, alpha, split) and
``nobody.csv`` (image, split; images without people, the file's name is part of the data). It may also have
``people2.csv`` (image, alpha, sure, kind, split), ``clips2.csv`` (video, alpha, sure, split) and ``no_person2.csv``
(image, split). Terms are in a column ``terms``, or in SOURCE_TERMS.

``python -m training.rows --pack FOLDER --out weights/DATA.csv`` writes the files that networks are trained on, with
hashes, sources and terms; no image.
"""

import argparse
import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UNKNOWN: Final = "not stated"

SOURCE_TERMS: Final[Mapping[str, str]] = {
    "Caltech-101": "CC BY 4.0",
    "Clothing Co-Parsing (Yang et al. 2014)": "Apache-2.0 (repository)",
    "Houses dataset (Ahmed & Moustafa 2016)": "cite the paper",
    "IKEA room scenes": "non-commercial",
    "KwaiVGI/LivePortrait": "MIT (repository)",
    "OpenTalker/SadTalker": "Apache-2.0 (repository)",
    "OpenTalker/video-retalking": "Apache-2.0 (repository)",
    "PortraitFCN (Shen et al. 2016) photos and masks": "academic use",
    "SubhiH/HandsDataset": "Apache-2.0 (repository)",
    "TMElyralab/MuseTalk": "MIT (repository)",
    "majedelhelou/denoising_datasets": "research (Sun-Hays80, Urban100)",
    "sehyunlee217/aps360_project": "academic use (YawDD)",
}
"""Sources of tables without terms. A source that is not here states none."""

MIN_TEACHER_IOU: Final = 0.88
"""Labels with a lower agreement with the teacher are more often wrong than hard: they are not read."""

OPEN: Final = re.compile(r"(MIT|Apache-2\.0|BSD|CC0|CC BY|CC BY-SA)\b(?! ?-?N[CD])(?!.*Pexels)")
"""Terms under which anybody may use an image for anything, if only with attribution."""

TABLES: Final = ("pack.csv", "clips.csv", "nobody.csv")
"""Tables of every pack."""

OPTIONAL_TABLES: Final = ("people2.csv", "clips2.csv", "no_person2.csv")

COLUMNS: Final = ("folder", "name", "sha256", "source", "terms", "open")


def terms_of(row: Mapping[str, str]) -> str:
    """The terms of one row of a table.

    Example:
        >>> terms_of({"source": "Caltech-101"}), terms_of({"source": "a camera of mine"})
        ('CC BY 4.0', 'not stated')
    """
    return row.get("terms") or SOURCE_TERMS.get(row.get("source", ""), UNKNOWN)


def is_open(terms: str) -> bool:
    """Whether anybody may use an image with these terms.

    Example:
        >>> [is_open(terms) for terms in ("MIT (repository)", "CC BY-SA 4.0", "CC BY-NC 4.0", "academic use")]
        [True, True, False, False]
    """
    return OPEN.match(terms) is not None


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows of one split; with ``open_only`` those that anybody may use for anything."""

    split: str
    open_only: bool = False

    def rows(self, table: Path) -> Iterator[dict[str, str]]:
        """The chosen rows of a table; none of an optional one that a pack lacks. Raises FileNotFoundError."""
        if table.name in OPTIONAL_TABLES and not table.exists():
            return
        with table.open(newline="") as file:
            yield from (row for row in csv.DictReader(file) if self._has(row))

    def _has(self, row: Mapping[str, str]) -> bool:
        if row["split"] != self.split or float(row.get("teacher_iou") or 1) < MIN_TEACHER_IOU:
            return False
        return not self.open_only or is_open(terms_of(row))


def listed(folder: Path) -> Iterator[dict[str, str]]:
    """One row of COLUMNS for every image and clip of a pack that networks are trained on."""
    for table in (*TABLES, *OPTIONAL_TABLES):
        for row in Choice("train").rows(folder / table):
            path, terms = folder / (row.get("image") or row["video"]), terms_of(row)
            yield {
                "folder": path.parent.relative_to(folder).as_posix(),
                "name": path.name,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "source": row.get("source", ""),
                "terms": terms,
                "open": "yes" if is_open(terms) else "no",
            }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, help="folder with pack.csv, clips.csv, nobody.csv")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    options = parser.parse_args()
    rows = list(listed(options.pack))
    with options.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for (folder, is_free), count in sorted(Counter((row["folder"], row["open"]) for row in rows).items()):
        print(f"{folder}: {count} files, {'open' if is_free == 'yes' else 'other terms'}")


if __name__ == "__main__":
    main()
