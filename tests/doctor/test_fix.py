"""``rtmatte doctor --fix``: what is asked, run and printed."""

from collections.abc import Sequence

import pytest

from realtime_matte.doctor.finding import Finding, FixCommand
from realtime_matte.doctor.fix import Shell, apply, this_shell

INSTALL, LOAD = FixCommand(("apt-get", "install", "x"), root=True), FixCommand(("modprobe", "x"), root=True)
ALLOW = FixCommand(("flatpak", "override", "x"))


def finding(*commands: FixCommand) -> Finding:
    return Finding("part", "warning", "found", "fix it", "why", commands)


class FakeShell:
    """Records what was run. ``fails``: words whose command ends with status 1; ``absent``: that cannot be started."""

    def __init__(self, answer: str = "y", *, fails: Sequence[str] = (), absent: Sequence[str] = ()) -> None:
        self.ran: list[str] = []
        self.asked: list[str] = []
        self._answer, self._fails, self._absent = answer, fails, absent

    def shell(self, elevate: tuple[str, ...] | None = ("sudo",)) -> Shell:
        return Shell(self.run, self.ask, elevate)

    def run(self, words: Sequence[str]) -> int:
        self.ran.append(" ".join(words))
        if any(word in self._absent for word in words):
            raise FileNotFoundError(2, "No such file or directory")
        return int(any(word in self._fails for word in words))

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return self._answer


def test_agreed_commands_run_once_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell()
    assert apply([finding(INSTALL, LOAD), finding(), finding(LOAD), finding(ALLOW)], fake.shell())
    assert fake.ran == ["sudo apt-get install x", "sudo modprobe x", "flatpak override x"]
    assert fake.asked == ["run these now, some of them as administrator? [y/N] "]
    printed = capsys.readouterr().out
    assert printed.index("  sudo apt-get install x\n") < printed.index("\n$ sudo apt-get install x\ndone\n")


def test_administrator_needs_no_sudo() -> None:
    fake = FakeShell("YES")
    assert apply([finding(LOAD)], fake.shell(()))
    assert fake.ran == ["modprobe x"]


@pytest.mark.parametrize("answer", ["", "n", "no", "what?"])
def test_nothing_runs_without_a_yes(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell(answer)
    assert not apply([finding(ALLOW)], fake.shell())
    assert fake.asked == ["run this now? [y/N] "]
    assert fake.ran == []
    assert capsys.readouterr().out.endswith("nothing was run; run them yourself, then rtmatte doctor\n")


def test_nothing_is_asked_without_sudo(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell()
    assert not apply([finding(LOAD)], fake.shell(None))
    assert fake.asked == fake.ran == []
    assert "neither sudo nor pkexec is installed" in capsys.readouterr().out


def test_failure_skips_the_rest_of_its_finding(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell(fails=["install"])
    assert apply([finding(INSTALL, LOAD), finding(ALLOW)], fake.shell())
    assert fake.ran == ["sudo apt-get install x", "flatpak override x"]
    assert "failed with status 1" in capsys.readouterr().out


def test_absent_program_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell(absent=["flatpak"])
    assert apply([finding(ALLOW)], fake.shell())
    assert "failed: No such file or directory" in capsys.readouterr().out


def test_nothing_is_asked_without_commands(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell()
    assert not apply([finding()], fake.shell())
    assert fake.asked == []
    assert "nothing here can be fixed automatically" in capsys.readouterr().out


def test_no_question_without_a_terminal() -> None:
    assert this_shell().ask is None
