"""What is whole is left out; what is not is made again; nothing has its name before it is whole."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fakes.batch import Inline, shade, write_clip

from realtime_matte.batch import parts, running
from realtime_matte.batch.manifest import describe_model
from realtime_matte.batch.matte_clips import ClipResult, Planned, matte_clips
from realtime_matte.batch.settings import BatchSettings
from realtime_matte.errors import MatteError, SinkError, SpecError

Make = Callable[..., BatchSettings]
Run = Callable[..., list[ClipResult]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two clips, a damaged one, one that is cut off, and an image."""
    write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(4)])
    write_clip(tmp_path / "in/b/c.mp4", [shade(index) for index in range(5)])
    (tmp_path / "in/damaged.mp4").write_bytes(b"no clip" * 99)
    whole = write_clip(tmp_path / "cut.mp4", [np.roll(shade(index), index) for index in range(9)]).read_bytes()
    (tmp_path / "in/cut.mp4").write_bytes(whole[: len(whole) * 3 // 4])
    cv2.imwrite(str(tmp_path / "in/still.png"), shade(1))
    return tmp_path / "in"


@pytest.fixture
def run(tmp_path: Path, inline: Inline, settings: Make) -> Run:
    def matte(*names: Path, out: str = "out", **values: Any) -> list[ClipResult]:  # noqa: ANN401
        options = {key: values.pop(key) for key in ("checksum", "overwrite", "notify") if key in values}
        chosen = settings(**({"write": "alpha"} | values))
        return matte_clips([str(name) for name in names], tmp_path / out, chosen, executor=inline, **options)

    return matte


def states(results: list[ClipResult]) -> dict[str, str]:
    return {Path(one.input).name: one.state for one in results}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


def test_damaged_inputs_are_reported_and_the_others_go_on(folder: Path, run: Run) -> None:
    results = run(folder)
    assert states(results) == {
        "a.mp4": "done",
        "c.mp4": "done",
        "still.png": "done",
        "damaged.mp4": "failed",
        "cut.mp4": "failed",
    }
    failed = [one for one in results if one.state == "failed"]
    assert all(one.reason and one.hint for one in failed)
    assert not any(path.name.startswith(("damaged", "cut", ".rtmatte")) for path in (folder.parent / "out").rglob("*"))


def test_a_link_to_a_deleted_file_is_a_failed_input(run: Run, tmp_path: Path) -> None:
    write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(2)])
    (tmp_path / "in/b.mp4").symlink_to("deleted.mp4")
    results = run(tmp_path / "in")
    assert states(results) == {"a.mp4": "done", "b.mp4": "failed"}
    assert "deleted file" in results[1].hint


def test_what_is_whole_is_left_out(folder: Path, run: Run, tmp_path: Path) -> None:
    run(folder)
    before = contents(tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    again = run(folder)
    assert states(again) == {
        "a.mp4": "skipped",
        "c.mp4": "skipped",
        "still.png": "skipped",
        "damaged.mp4": "failed",
        "cut.mp4": "failed",
    }
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    assert contents(tmp_path / "out") == before
    assert [one.frames for one in again if one.state == "skipped"] == [4, 1, 5]


@pytest.mark.parametrize(
    "change", ["setting", "model", "input", "deleted frame", "deleted file", "torn manifest", "overwrite"]
)
def test_a_change_redoes_what_it_must(folder: Path, run: Run, tmp_path: Path, change: str, ours: str) -> None:
    run(folder)
    values: dict[str, Any] = {}
    everything = {"a.mp4", "c.mp4", "still.png"}
    expected = everything
    if change == "setting":
        values = {"format": "png8"}
    elif change == "model":
        values = {"model": f"{ours}?unverified&quality=low"}
    elif change == "overwrite":
        values = {"overwrite": True}
    elif change == "input":
        os.utime(folder / "a.mp4", (1, 1))
        expected = {"a.mp4"}
    elif change == "deleted frame":
        (tmp_path / "out/a/000002.png").unlink()
        expected = {"a.mp4"}
    elif change == "deleted file":
        (tmp_path / "out/still.png").unlink()
        expected = {"still.png"}
    else:
        path = tmp_path / "out/manifest.jsonl"
        lines = [line for line in path.read_bytes().splitlines() if b"still.png" not in line or b"started" in line]
        path.write_bytes(b"\n".join(lines) + b'\n{"result": "b/c/##')
        expected = {"still.png"}
    results = states(run(folder, **values))
    assert {name for name, state in results.items() if state == "done"} == expected
    assert {
        name for name, state in states(run(folder, **(values | {"overwrite": False}))).items() if state == "skipped"
    } == everything


def test_a_checksum_sees_that_a_copied_file_is_the_same(folder: Path, run: Run) -> None:
    run(folder, checksum=True)
    for path in folder.rglob("*.*"):
        os.utime(path, (1, 1))
    assert set(states(run(folder, checksum=True)).values()) == {"skipped", "failed"}
    (folder / "still.png").write_bytes((folder / "still.png").read_bytes()[:-1] + b"\0")
    assert states(run(folder, checksum=True))["still.png"] != "skipped"


def test_the_manifest_says_from_what_and_how_each_result_was_made(folder: Path, run: Run, tmp_path: Path) -> None:
    run(folder, checksum=True)
    done = {one["result"]: one for one in records(tmp_path / "out") if one["state"] == "done"}["a/######.png"]
    stat = (folder / "a.mp4").stat()
    assert (done["input"], done["input_bytes"], done["input_mtime_ns"]) == (
        str(folder / "a.mp4"),
        stat.st_size,
        stat.st_mtime_ns,
    )
    assert len(done["input_sha256"]) == 64
    assert done["settings"]["write"] == "alpha"
    assert len(done["model"]["sha256"]) == 64
    assert (done["frames"], done["provider"]) == (4, "cpu")
    assert "16 bits" in done["format"]


def test_shipped_models_are_recorded_with_version_and_commit() -> None:
    described = describe_model("small?quality=low")
    assert described["version"]
    assert described["commit"]
    assert describe_model("chromakey") == {"name": "chromakey"}


def test_a_file_of_somebody_else_is_never_replaced(folder: Path, run: Run, tmp_path: Path) -> None:
    foreign = tmp_path / "out/still.png"
    foreign.parent.mkdir()
    foreign.write_bytes(b"not ours")
    with pytest.raises(SpecError, match="exists, and the manifest"):
        run(folder)
    assert foreign.read_bytes() == b"not ours"
    run(folder, overwrite=True)
    assert foreign.read_bytes() != b"not ours"


def test_images_of_somebody_else_in_the_folder_of_a_clip_are_never_deleted(run: Run, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(3)])
    foreign = tmp_path / "out/a/000100.png"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"not ours")
    for values in ({}, {"first": 90, "last": 110}):
        with pytest.raises(SpecError, match="exists, and the manifest"):
            run(clip, **values)
    run(clip, first=0, last=2)
    assert foreign.read_bytes() == b"not ours"


def test_results_in_another_format_stay(run: Run, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(3)])
    run(clip)
    run(clip, format="exr")
    assert len(list((tmp_path / "out/a").glob("*.png"))) == len(list((tmp_path / "out/a").glob("*.exr"))) == 3
    assert states(run(clip)) == states(run(clip, format="exr")) == {"a.mp4": "skipped"}


def test_a_range_that_other_settings_replaced_is_made_again(run: Run, tmp_path: Path) -> None:
    """Images of all ranges are in one folder."""
    clip = write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(6)])
    run(clip, first=0, last=2)
    run(clip, first=3, last=5)
    before = contents(tmp_path / "out")
    run(clip, write="foreground", format="png16", first=2, last=2)
    assert states(run(clip, first=3, last=5)) == {"a.mp4": "skipped"}
    assert states(run(clip, first=0, last=2)) == {"a.mp4": "done"}
    assert contents(tmp_path / "out") == before
    run(clip)
    run(clip, format="png8", first=0, last=1)
    assert states(run(clip)) == {"a.mp4": "done"}


def test_images_of_a_sequence_that_changed_places_are_seen(run: Run, tmp_path: Path) -> None:
    """Number, sum of the sizes and newest time stay the same."""
    names = [tmp_path / f"in/{number}.bmp" for number in range(3)]
    names[0].parent.mkdir()
    for index, name in enumerate(names):
        cv2.imwrite(str(name), shade(4 * index))
        os.utime(name, (9 - index, 9 - index))
    run(tmp_path / "in")
    assert states(run(tmp_path / "in")) == {"#.bmp": "skipped"}
    names[0].rename(tmp_path / "other")
    names[1].rename(names[0])
    (tmp_path / "other").rename(names[1])
    assert states(run(tmp_path / "in")) == {"#.bmp": "done"}


@pytest.mark.parametrize(
    "change",
    [
        {"first": []},
        {"last": "5"},
        {"frames": "x"},
        {"frames": None},
        {"cuts": 5},
        {"cuts": ["a"]},
        {"settings": None},
        {"result": 3},
        {"state": []},
        None,
    ],
)
def test_an_edited_manifest_only_makes_a_result_again(run: Run, tmp_path: Path, change: dict[str, Any] | None) -> None:
    clip = write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(2)])
    run(clip)
    (_, done), path = records(tmp_path / "out"), tmp_path / "out/manifest.jsonl"
    line = "[" * 100_000 if change is None else json.dumps(done | change)
    path.write_text(json.dumps(done | {"state": "started"}) + "\n" + line + "\n")
    assert states(run(clip)) == {"a.mp4": "done"}
    assert states(run(clip)) == {"a.mp4": "skipped"}


def test_a_result_that_this_machine_does_not_see_yet_is_recorded(tmp_path: Path, settings: Make) -> None:
    """Network drives show what another machine wrote after a while."""
    clip = write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(2)])

    class Elsewhere(Inline):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            future = super().submit(fn, *args, **kwargs)
            (tmp_path / "out/a.mov").rename(tmp_path / "out/later")
            return future

    (result,) = matte_clips([str(clip)], tmp_path / "out", settings(), executor=Elsewhere())
    assert result.state == "done"
    (tmp_path / "out/later").rename(tmp_path / "out/a.mov")
    assert states(matte_clips([str(clip)], tmp_path / "out", settings(), executor=Inline())) == {"a.mp4": "skipped"}


def test_a_clip_shorter_than_its_header_says_is_reported(run: Run, tmp_path: Path) -> None:
    """Matroska has no index that would prove the damage."""
    whole = write_clip(tmp_path / "whole.mkv", [np.roll(shade(index), index) for index in range(20)]).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    (result,) = run(tmp_path / "cut.mkv")
    assert result.state == "done"
    assert any("header says 20" in notice for notice in result.notices)


def test_ranges_that_run_at_a_time_share_a_folder(run: Run, tmp_path: Path) -> None:
    """The second one has read the manifest before the first one wrote its images."""
    clip = write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(6)])
    seen: list[object] = []

    def other(event: object) -> None:
        if isinstance(event, Planned) and not seen:
            seen.append(event)
            run(clip, first=0, last=2)

    run(clip, first=3, last=5, notify=other)
    assert sorted(path.name for path in (tmp_path / "out/a").iterdir()) == [f"{index:06}.png" for index in range(6)]
    assert states(run(clip, first=0, last=2)) == states(run(clip, first=3, last=5)) == {"a.mp4": "skipped"}


def test_a_shorter_clip_leaves_no_frames_of_the_longer_one(run: Run, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in/a.mp4", [shade(index) for index in range(6)])
    run(clip)
    write_clip(clip, [shade(index) for index in range(3)])
    run(clip)
    assert sorted(path.name for path in (tmp_path / "out/a").iterdir()) == [f"{index:06}.png" for index in range(3)]


def test_an_end_in_the_middle_leaves_nothing_under_a_name(
    folder: Path, settings: Make, inline: Inline, tmp_path: Path
) -> None:
    """As by Ctrl-C. What is whole stays."""

    def stop(event: object) -> None:
        if isinstance(event, ClipResult) and event.state == "done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        matte_clips([str(folder)], tmp_path / "out", settings(write="alpha"), executor=inline, notify=stop)
    whole = matte_clips([str(folder)], tmp_path / "out", settings(write="alpha"), executor=inline)
    assert "skipped" in states(whole).values()
    assert not list((tmp_path / "out").rglob(".rtmatte-*"))


def test_parts_of_killed_processes_are_deleted_and_those_of_running_ones_kept(
    tmp_path: Path, folder: Path, run: Run
) -> None:
    run(folder / "a.mp4")
    out = tmp_path / "out"
    here, elsewhere = parts._digest(socket.gethostname(), 8), "0" * 8
    dead = out / f".rtmatte-{'a' * 12}-{'b' * 8}-{here}-999999999.part"
    alive = out / f".rtmatte-{'a' * 12}-{'b' * 8}-{here}-{os.getpid()}.part"
    other = out / f".rtmatte-{'a' * 12}-{'b' * 8}-{elsewhere}-999999999.part"
    dead.mkdir()
    (dead / "000000.png").write_bytes(b"x")
    alive.write_bytes(b"x")
    other.write_bytes(b"x")
    parts.remove_abandoned(out)
    assert (dead.exists(), alive.exists(), other.exists()) == (False, True, True)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are seen through /proc")
def test_the_part_of_a_process_whose_end_its_parent_has_not_seen_is_deleted(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as ended:
        assert ended.stdout
        ended.stdout.read()  # until it ends
        here = parts._digest(socket.gethostname(), 8)
        part = tmp_path / f".rtmatte-{'a' * 12}-{'b' * 8}-{here}-{ended.pid}.part"
        part.write_bytes(b"x")
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from now on
        parts.remove_abandoned(tmp_path)
    assert not part.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB."""
    path = tmp_path / "small"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - of this test
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)  # noqa: S603, S607


@pytest.mark.parametrize(("write", "name"), [("alpha", "png16"), ("foreground", "prores")])
def test_a_full_disk_stops_cleanly_and_resumes(  # noqa: PLR0917 - fixtures
    small_disk: Path, tmp_path: Path, settings: Make, inline: Inline, write: str, name: str
) -> None:
    random = np.random.default_rng(1)
    for number in range(3):
        write_clip(tmp_path / f"in/{number}.mp4", [random.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(16)])
    made = settings(write=write, format=name)
    with pytest.raises(SinkError, match="No space left") as raised:
        matte_clips([str(tmp_path / "in")], small_disk, made, executor=inline)
    assert "start the same command again" in raised.value.hint
    left = [path for path in small_disk.rglob("*") if path.name.startswith(".rtmatte")]
    assert left == [], "nothing incomplete is left"
    whole = {record["result"] for record in records(small_disk) if record["state"] == "done"}
    assert len(whole) < 3
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)  # noqa: S603, S607
    results = matte_clips([str(tmp_path / "in")], small_disk, made, executor=inline)
    assert [one.state for one in results] == ["skipped"] * len(whole) + ["done"] * (3 - len(whole))


def test_no_result_of_a_frame_without_a_matte(tmp_path: Path, inline: Inline) -> None:
    """The camera's background is a marker colour: where a matte fails, no file may hold it."""
    from fakes import networks  # noqa: PLC0415

    fails_at_black = networks.recurrent(tmp_path / "nan.onnx", black_is_nan=True)
    frames = [shade(index) for index in range(4)] + [np.zeros((48, 64, 3), np.uint8)]
    write_clip(tmp_path / "in/a.mp4", frames)
    for values in ({"write": "foreground"}, {"write": "composite"}, {"write": "foreground", "format": "png8"}):
        made = BatchSettings(model=f"{fails_at_black}?unverified&unlimited", provider="cpu", **values)  # type: ignore[arg-type]
        (result,) = matte_clips([str(tmp_path / "in")], tmp_path / "out", made, executor=inline)
        assert result.state == "failed"
        assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["manifest.jsonl"]


def test_planned_progress_and_results_are_reported(folder: Path, run: Run) -> None:
    events: list[object] = []
    run(folder / "a.mp4", folder / "damaged.mp4", notify=events.append)
    assert isinstance(events[0], Planned)
    assert list(events[0].tasks) == ["a/######.png", "damaged/######.png"]
    assert events[0].tasks["a/######.png"] == (folder / "a.mp4").stat().st_size
    assert [one.state for one in events if isinstance(one, ClipResult)] == ["done", "failed"]


def test_a_network_that_cannot_be_opened_is_an_error_of_every_clip(folder: Path, run: Run) -> None:
    results = run(folder / "a.mp4", model="no-such-model")
    assert "no-such-model" in results[0].reason


@pytest.mark.parametrize("jobs", [0, -1, 1.5])
def test_a_wrong_number_of_jobs_is_refused(jobs: Any, tmp_path: Path) -> None:  # noqa: ANN401
    with pytest.raises(MatteError):
        matte_clips(["x"], tmp_path, jobs=jobs)


def test_an_executor_that_loses_a_task_fails_that_task_only(folder: Path, settings: Make, tmp_path: Path) -> None:
    class Losing(Inline):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if "a.mp4" in args[0].input.name:
                return super().submit(lambda _: 1 / 0, None)
            return super().submit(fn, *args, **kwargs)

    made = settings(write="alpha")
    results = matte_clips([str(folder / "a.mp4"), str(folder / "still.png")], tmp_path / "out", made, executor=Losing())
    assert [one.state for one in results] == ["failed", "done"]
    assert "ZeroDivisionError" in results[0].reason
    assert running.POLL_S > 0
