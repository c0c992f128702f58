"""Any sets of options: on the command line and in configuration files. They are drawn from Config itself."""

import json
import random
from collections.abc import Sequence

from fuzz.mutate import damaged

from realtime_matte.config.config import Option, options

OUTPUTS = ("out", "work/demo")
"""What the drawn options may write."""

MAX_RUN = ("--frames", "2", "--seconds", "5")

SPECS = {
    "camera": (
        *("{scratch}/room.png", "{scratch}/room.png?frames=2", "{scratch}/room.png?frames=-1", "demo?frames=2"),
        *("demo?frames=x", "demo?nonsense=1", "99", "-1", "nobody's camera", "/dev/null", "/dev/zero", "{scratch}"),
        *("image:", ":", "?", "a?b=c&d", "http://", "rtsp://[", "file:///etc/passwd", "demo?frames=2&frames=3"),
    ),
    "bg": (
        *("green", "#336699", "#33669", "blur", "blur:0", "blur:-1", "blur:1e9", "blur:nan", "none", "studio", "beach"),
        *("{scratch}/room.png", "{scratch}", "{scratch}/gone.png", "", " ", "#", "blur:", "green?x=1", "~nobody/x.png"),
        *("/dev/zero", "/proc/self/mem", "/", "studio?", "color:red", "color:", "image:{scratch}/room.png"),
    ),
    "output": (
        *("null", "null", "frames:{scratch}/out", "{scratch}/out/x.mp4", "{scratch}/out/x.mkv", "{scratch}/out/x.xyz"),
        *(
            "virtualcam",
            "virtualcam:/dev/null",
            "virtualcam:nonsense",
            "window",
            "pipewire",
            "{scratch}",
            "/proc/x.mp4",
        ),
        *("{scratch}/room.png/x.mp4", "frames:", "null?x=1", "/dev/full.mp4", ""),
    ),
    "model": (
        *("auto", "small", "small?quality=low", "small?quality=x", "small-int8", "nonsense", "{scratch}/room.png"),
        *("small?unproven", "small?x=1", "/dev/zero", "{scratch}", "", "small?quality=high&quality=low"),
    ),
    "card": ("{scratch}/room.png", "{scratch}/gone.png", "{scratch}", "/dev/zero", ""),
}
"""Values of options that take a spec: right ones, wrong ones, odd ones."""

TEXTS = (
    "",
    " ",
    "x",
    "cpu",
    "cuda",
    "nonsense",
    "\u202ex",
    "\x1b[31m",
    "a\nb",
    "é",
    "日本語",
    "x" * 2000,
    "'\"\\",
    "%s%n",
)
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "0.1",
    "1.5",
    "30",
    "1e7",
    "1e999",
    "nan",
    "inf",
    "-inf",
    "",
    "x",
    "0x10",
    "1_0",
    "٣",
    "9" * 400,
)
SIZES = (
    "64x48",
    "640x360",
    "16x16",
    "15x16",
    "8193x2",
    "0x0",
    "1x",
    "x",
    "-1x-1",
    "64X48",
    "64x48x3",
    "99999x99999",
    "63x47",
)
TYPED = (True, False, 0, -1, 10**18, 0.5, "", "green", [], [[]], ["green", "blur"], {"a": 1}, [1, "x"], "x" * 3000)
"""Values of a TOML file of any type."""

UNKNOWN = ("--", "-", "---", "--no-bg", "-x", "--bgg", "--help=1", "run", "\x1b[2J", "é")
PRINTING = ("--help", "--version", "models", "models --json")
OTHER_VERBS = (
    "models --x",
    "doctor --x",
    "bench --frames x",
    "demo --seconds x",
    "devices x",
    "install-service x",
    "x",
)


def words(rng: random.Random) -> tuple[list[str], bool]:
    """Arguments, and whether they ask for a printed result."""
    if rng.random() < 0.1:
        line = rng.choice((*PRINTING, *OTHER_VERBS))
        return line.split(), line in PRINTING
    line = ["--camera", "{scratch}/room.png?frames=2", "--output", "null"]
    for option in rng.sample(options(), rng.randrange(1, 6)):
        line += _flag(rng, option)
    if rng.random() < 0.1:
        line.insert(rng.randrange(len(line)), rng.choice(UNKNOWN))
    return [*line, *MAX_RUN, "--quiet"], "--help" in line


def _flag(rng: random.Random, option: Option) -> list[str]:
    if option.kind == "switch":
        return [] if option.name in {"on_demand", "verbose"} else [rng.choice(("--", "--no-")) + option.key]
    return [option.flag, _text_value(rng, option)]


def _text_value(rng: random.Random, option: Option) -> str:
    values: Sequence[str] = SPECS.get(option.name, TEXTS)
    if option.kind in {"integer", "number"}:
        values = NUMBERS
    elif option.kind == "size":
        values = SIZES
    elif option.choices:
        values = (*option.choices, *TEXTS)
    return rng.choice(values)


def toml(rng: random.Random) -> bytes:
    """A configuration file: known and unknown keys, values of right and wrong types, at times damaged bytes."""
    lines = []
    for option in rng.sample(options(), rng.randrange(1, 6)):
        key = rng.choice((option.key, option.key, option.key, option.name, f"run.{option.key}", json.dumps(option.key)))
        lines.append(f"{key} = {_toml_value(rng, option)}")
    if rng.random() < 0.15:
        lines.insert(
            rng.randrange(len(lines)), rng.choice(("[table]", "[[x]]", "x", "= 1", "a.b.c = 1", "# é", "\0", "x = "))
        )
    data = ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")
    return damaged(rng, data, [data]) if rng.random() < 0.4 else data


def _toml_value(rng: random.Random, option: Option) -> str:
    """A value in TOML's words, which are those of JSON but for null and escapes."""
    if option.name in {"output", "camera", "verbose"} or rng.random() < 0.3:
        return json.dumps(rng.choice(TYPED)).replace('{"a": 1}', "{a = 1}")
    if option.kind == "switch":
        return rng.choice(("true", "false", "1", '"yes"'))
    text = _text_value(rng, option).replace("{scratch}", "..")
    if option.kind in {"integer", "number"} and rng.random() < 0.7:
        return text or "0"
    return rng.choice((json.dumps(text), f"'{text}'", f'"{text}"'))
