"""``rtmatte doctor --fix``: what is asked, what is run, what is told."""

from collections.abc import Sequence

import pytest

from realtime_matte.doctor.finding import Finding, FixCommand
from realtime_matte.doctor.fix import Shell, mend, this_shell

INSTALL, LOAD = FixCommand(("apt-get", "install", "x"), root=True), FixCommand(("modprobe", "x"), root=True)
ALLOW = FixCommand(("flatpak", "override", "x"))


def finding(*commands: FixCommand) -> Finding:
    return Finding("part", "warning", "ill", "mend it", "why", commands)


class FakeShell:
    """Remembers what was run; ``fails``: words whose command ends with status 1, or is not there at all."""

    def __init__(self, answer: str = "y", *, fails: Sequence[str] = (), absent: Sequence[str] = ()) -> None:
        self.ran: list[str] = []
        self.asked: list[str] = []
        self._answer, self._fails, self._absent = answer, fails, absent

    def shell(self, become: tuple[str, ...] | None = ("sudo",)) -> Shell:
        return Shell(self.run, self.question, become)

    def run(self, words: Sequence[str]) -> int:
        self.ran.append(" ".join(words))
        if any(word in self._absent for word in words):
            raise FileNotFoundError(2, "No such file or directory")
        return int(any(word in self._fails for word in words))

    def question(self, line: str) -> str:
        self.asked.append(line)
        return self._answer


def test_after_a_yes_each_command_is_run_once_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell()
    assert mend([finding(INSTALL, LOAD), finding(), finding(LOAD), finding(ALLOW)], fake.shell())
    assert fake.ran == ["sudo apt-get install x", "sudo modprobe x", "flatpak override x"]
    assert fake.asked == ["run these now, some of them as the administrator? [y/N] "]
    told = capsys.readouterr().out
    assert told.index("  sudo apt-get install x\n") < told.index("\n$ sudo apt-get install x\ndone\n")


def test_the_administrator_needs_no_sudo() -> None:
    fake = FakeShell("YES")
    assert mend([finding(LOAD)], fake.shell(()))
    assert fake.ran == ["modprobe x"]


@pytest.mark.parametrize("answer", ["", "n", "no", "what?"])
def test_without_a_yes_nothing_is_run(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell(answer)
    assert not mend([finding(ALLOW)], fake.shell())
    assert fake.asked == ["run this now? [y/N] "]
    assert fake.ran == []
    assert capsys.readouterr().out.endswith("nothing was run; run them yourself, then rtmatte doctor\n")


def test_where_nobody_can_become_the_administrator_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell()
    assert not mend([finding(LOAD)], fake.shell(None))
    assert fake.asked == fake.ran == []
    assert "there is no sudo and no pkexec here" in capsys.readouterr().out


def test_after_a_failure_what_builds_on_it_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell(fails=["install"])
    assert mend([finding(INSTALL, LOAD), finding(ALLOW)], fake.shell())
    assert fake.ran == ["sudo apt-get install x", "flatpak override x"]
    assert "failed, with status 1" in capsys.readouterr().out


def test_a_program_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell(absent=["flatpak"])
    assert mend([finding(ALLOW)], fake.shell())
    assert "failed: No such file or directory" in capsys.readouterr().out


def test_when_there_is_nothing_to_run_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeShell()
    assert not mend([finding()], fake.shell())
    assert fake.asked == []
    assert "nothing here can be mended without you" in capsys.readouterr().out


def test_tests_have_no_terminal_to_ask_in() -> None:
    assert this_shell().question is None
