"""Compiles the kernels ahead for each level of processors: `python packaging/kernels.py FOLDER`, in x86-64 bundles.

Run by the bundle's own Python, since the machine code belongs to one Python, one Numba and one source. Each level is
compiled in a process of its own: LLVM gets the processor's name before Numba is imported.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from realtime_matte.render.shipped_kernels import LEVELS, compiled_into


def main() -> int:
    """Without a level, a process for each; with one, compile it."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:  # noqa: PLR2004
        compile_into(folder)
        return 0
    for level in LEVELS:
        target = folder / level
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as cache:
            # An empty list of features: those of the level's name, and none of this processor's.
            processor = {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": cache}
            words = [sys.executable, __file__, str(target), level]
            subprocess.run(words, env=os.environ | processor, check=True)
        files = [*target.glob("*.nbc")]
        print(f"{level}: {len(files)} kernels, {sum(file.stat().st_size for file in files) // 1000} kB")
    return 0


def compile_into(folder: Path) -> None:
    """Compile every kernel into ``folder``."""
    from realtime_matte.render.renderer import warm_up  # noqa: PLC0415  # Numba reads its environment

    with compiled_into(folder):
        warm_up()


if __name__ == "__main__":
    sys.exit(main())
