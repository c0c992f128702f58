import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from realtime_matte.control import sockets
from realtime_matte.control.client import Instance, ask, choose, instances
from realtime_matte.control.sockets import open_folder, remove_stale
from realtime_matte.errors import MatteError, SinkError


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield listener


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[Instance]:
    """A server that gives one client this answer."""
    with listening(path) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Instance(7, str(path))
        thread.join()


def leave_behind(path: Path) -> None:
    """A socket of a program that was killed."""
    with listening(path):
        pass


def test_the_folder_is_in_the_runtime_folder_and_private(runtime: Path) -> None:
    folder = open_folder()
    assert folder == runtime / "rtmatte"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert open_folder() == folder


@pytest.mark.parametrize("value", [None, "", "relative", "/does/not/exist"])
def test_without_a_runtime_folder_it_is_in_the_temporary_one(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)
    folder = open_folder()
    assert folder == runtime.parent / "tmp" / f"rtmatte-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_users_folder_of_systemd_is_known_without_the_variable(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    users = runtime.parent / "users" / str(os.getuid())
    users.mkdir(parents=True)
    assert open_folder() == users / "rtmatte"


def test_a_folder_that_others_can_enter_is_refused(runtime: Path) -> None:
    (runtime / "rtmatte").mkdir()
    (runtime / "rtmatte").chmod(0o755)
    with pytest.raises(SinkError, match=r"is not a folder of this user alone; delete it, or: chmod 700"):
        open_folder()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to(path.parent)])
def test_a_file_or_link_in_its_place_is_refused(runtime: Path, make: object) -> None:
    make(runtime / "rtmatte")  # type: ignore[operator]
    with pytest.raises(SinkError):
        open_folder()
    assert instances() == []


def test_a_folder_of_another_user_is_not_used(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets.os, "getuid", lambda: os.stat(runtime).st_uid + 1)  # noqa: PTH116
    with pytest.raises(SinkError, match="is not a folder of this user alone"):
        open_folder()


def test_instances_are_found_and_stale_sockets_deleted(runtime: Path) -> None:  # noqa: ARG001
    folder = open_folder()
    leave_behind(folder / "12.sock")
    (folder / "notes.txt").touch()
    with listening(folder / "30.sock"), listening(folder / "4.sock"):
        assert instances() == [Instance(4, str(folder / "4.sock")), Instance(30, str(folder / "30.sock"))]
    assert not (folder / "12.sock").exists()
    assert (folder / "notes.txt").exists()


def test_an_instance_with_another_environment_is_found(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(open_folder() / "4.sock"), monkeypatch.context() as other:
        other.setenv("XDG_RUNTIME_DIR", "")
        temporary = open_folder()
        other.undo()
        assert [found.pid for found in instances()] == [4]
        with listening(temporary / "5.sock"):
            assert [found.pid for found in instances()] == [4, 5]
    assert runtime.exists()


def test_the_only_instance_is_chosen(runtime: Path) -> None:  # noqa: ARG001
    with pytest.raises(MatteError, match="no rtmatte is running; start it, without --no-control"):
        choose(None)
    with pytest.raises(MatteError, match="no rtmatte is running; start it, without --no-control"):
        choose(4)
    folder = open_folder()
    with listening(folder / "4.sock"):
        assert choose(None).pid == 4
        with pytest.raises(MatteError, match="no rtmatte with pid 5; there are: 4"):
            choose(5)
        with listening(folder / "30.sock"):
            assert choose(30).pid == 30
            with pytest.raises(MatteError, match="2 instances of rtmatte are running: 4, 30; add --pid N"):
                choose(None)


def test_a_socket_in_use_is_not_stale(tmp_path: Path) -> None:
    with listening(tmp_path / "a.sock"):
        assert not remove_stale(tmp_path / "a.sock")
    assert remove_stale(tmp_path / "a.sock")
    assert remove_stale(tmp_path / "none.sock")


def test_an_answer_is_returned(tmp_path: Path) -> None:
    with answering(tmp_path / "a.sock", b'{"status": {"pid": 7}}\n') as instance:
        assert ask(instance, "status") == {"status": {"pid": 7}}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b'{"error": {"message": "no", "hint": "because"}}\n', "no; because"),
        (b"", r"rtmatte \(pid 7\) ended without an answer; start it again"),
        (b"nonsense\n", r"rtmatte \(pid 7\) does not answer: .*; try again"),
    ],
)
def test_an_answer_that_is_an_error_is_raised(tmp_path: Path, answer: bytes, message: str) -> None:
    with answering(tmp_path / "a.sock", answer) as instance, pytest.raises(MatteError, match=message):
        ask(instance, "status")


def test_a_server_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with (
        listening(tmp_path / "a.sock"),
        pytest.raises(MatteError, match=r"rtmatte \(pid 7\) does not answer: timed out; try again"),
    ):
        ask(Instance(7, str(tmp_path / "a.sock")), "status", timeout_s=0.01)
    with pytest.raises(MatteError, match=r"does not answer: .*No such file"):
        ask(Instance(7, str(tmp_path / "none.sock")), "status")
