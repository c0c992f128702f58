"""Any sets of options: on the command line and in configuration files. They are drawn from Config itself."""

import json
import random

from fuzz.mutate import damaged

from realtime_matte.config.config import options
from realtime_matte.config.option import Option

OUTPUTS = ("out", "work/demo")
"""What the drawn options may write."""

MAX_RUN = ("--frames", "2", "--seconds", "5")

RIGHT = {
    "camera": ("{scratch}/room.png", "{scratch}/room.png?frames=2", "demo?frames=2", "image:{scratch}/room.png"),
    "bg": (
        *("green", "#336699", "blur", "blur:0.5", "none", "studio", "beach", "{scratch}/room.png", "{scratch}"),
        *("image:{scratch}/room.png", "color:red"),
    ),
    "output": ("null", "frames:{scratch}/out", "{scratch}/out/x.mp4", "{scratch}/out/x.mkv", "{scratch}/out/x.webm"),
    "model": ("auto", "small", "small?quality=low", "small-int8"),
    "card": ("{scratch}/room.png",),
    "provider": ("cpu",),
    "card_text": ("x", "\u202ex", "\x1b[31m", "a\nb", "é", "日本語", "x" * 2000, "'\"\\", "%s%n"),
    "size": ("64x48", "640x360", "16x16", "63x47"),
    "number": ("1", "2", "30", "100"),
}
"""Values that an option, or a kind of option, accepts."""

WRONG = {
    "camera": (
        *(
            "{scratch}/room.png?frames=-1",
            "demo?frames=x",
            "demo?nonsense=1",
            "99",
            "-1",
            "an unknown camera",
            "{scratch}",
        ),
        *("/dev/null", "/dev/zero", "image:", ":", "?", "a?b=c&d", "http://", "rtsp://[", "file:///etc/passwd"),
        *("demo?frames=2&frames=3", "http://127.0.0.1:9/x", "rtsp://me:secret@127.0.0.1:9/x"),
    ),
    "bg": (
        *("#33669", "blur:0", "blur:-1", "blur:1e9", "blur:nan", "{scratch}/gone.png", "", " ", "#", "blur:", "color:"),
        *("green?x=1", "~nonsense/x.png", "/dev/zero", "/proc/self/mem", "/", "studio?", "https://127.0.0.1:9/x.png"),
    ),
    "output": (
        *("{scratch}/out/x.xyz", "virtualcam", "virtualcam:/dev/null", "virtualcam:nonsense", "window", "pipewire"),
        *("{scratch}", "/proc/x.mp4", "{scratch}/room.png/x.mp4", "frames:", "null?x=1", "/dev/full.mp4", ""),
    ),
    "model": (
        *("small?quality=x", "nonsense", "{scratch}/room.png", "small?x=1", "/dev/zero", "{scratch}", ""),
        *("small?quality=high&quality=low", "small?quality=", "?", "\x1b[31m"),
    ),
    "card": ("{scratch}/gone.png", "{scratch}", "/dev/zero", "", "https://127.0.0.1:9/x.png"),
    "size": ("15x16", "8193x2", "0x0", "1x", "x", "-1x-1", "64X48", "64x48x3", "99999x99999"),
    "number": ("0", "-1", "0.1", "1e7", "1e999", "nan", "inf", "", "x", "0x10", "1_0", "٣", "9" * 400),
}
"""Values that are refused, or that not every machine can serve."""

TEXTS = ("", " ", "x", "nonsense", "\u202ex", "\x1b[31m", "a\nb", "é", "x" * 2000, "'\"\\", "%s%n", "--", "--help")

RIGHT_SHARE = 0.75

LEFT_OUT = ("on_demand", "verbose")
"""Switches that wait for another program, or print the libraries' messages."""

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
    for option in rng.sample(options(), rng.randrange(1, 5)):
        line += _flag(rng, option)
    if rng.random() < 0.1:
        line.insert(rng.randrange(len(line)), rng.choice(UNKNOWN))
    return [*line, *MAX_RUN, "--quiet"], "--help" in line


def _flag(rng: random.Random, option: Option) -> list[str]:
    if option.kind == "switch":
        return [] if option.name in LEFT_OUT else [rng.choice(("--", "--no-")) + option.key]
    return [option.flag, _text_value(rng, option)]


def _text_value(rng: random.Random, option: Option) -> str:
    kind = "number" if option.kind in {"integer", "number"} else option.name
    choices = option.choices or RIGHT.get(kind, TEXTS)
    return rng.choice(choices if rng.random() < RIGHT_SHARE else WRONG.get(kind, TEXTS))


def toml(rng: random.Random) -> bytes:
    """A configuration file: known and unknown keys, values of right and wrong types, at times damaged bytes."""
    lines = []
    for option in rng.sample(options(), rng.randrange(1, 5)):
        keys = [option.key] * 12 + [option.name, f"run.{option.key}", json.dumps(option.key)]
        lines.append(f"{rng.choice(keys)} = {_toml_value(rng, option)}")
    if rng.random() < 0.1:
        extra = rng.choice(("[table]", "[[x]]", "x", "= 1", "a.b.c = 1", "# é", "\0", "x = "))
        lines.insert(rng.randrange(len(lines)), extra)
    data = ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")
    return damaged(rng, data, [data]) if rng.random() < 0.25 else data


def _toml_value(rng: random.Random, option: Option) -> str:
    """A value in TOML's words, which are those of JSON but for null, objects and escapes."""
    if rng.random() > RIGHT_SHARE:
        return json.dumps(rng.choice(TYPED)).replace('{"a": 1}', "{a = 1}")
    if option.kind == "switch":
        return "false" if option.name in LEFT_OUT else rng.choice(("true", "false"))
    text = _text_value(rng, option).replace("{scratch}", ".")
    if option.kind in {"integer", "number"}:
        return text or "0"
    return rng.choice((json.dumps(text), json.dumps(text), f"'{text}'", f'"{text}"'))
