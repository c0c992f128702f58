"""A simulated Linux machine for the doctor: its files in a folder, and the answers of its programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from realtime_matte.doctor.finding import Finding
from realtime_matte.doctor.host import Answer, Host

RELEASE = "6.8.0-31-generic"
UBUNTU = 'ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 24.04 LTS"\nVERSION_ID="24.04"\n'


@dataclass
class FakeHost:
    """A machine whose root is the folder ``root``. ``answers``: by program name; ``asked``: what was run."""

    root: Path
    release: str = RELEASE
    answers: dict[str, Answer] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    groups: frozenset[int] = frozenset()
    may_use: bool = True
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> Host:
        return Host(
            root=self.root,
            release=self.release,
            ask=self.ask,
            environment=self.environment,
            home=self.root / "home/me",
            user="me",
            groups=self.groups,
            access=lambda _path, _mode: self.may_use,
        )

    def write(self, path: str, content: str | bytes = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def folder(self, path: str) -> Path:
        (self.root / path).mkdir(parents=True, exist_ok=True)
        return self.root / path

    def answer(self, program: str, text: str, status: int = 0) -> None:
        self.answers[program] = Answer(status, text)

    def ask(self, words: Sequence[str]) -> Answer | None:
        self.asked.append(" ".join(words))
        return self.answers.get(words[0])

    def loopback(self, number: int, name: str, *, busy: bool = False) -> Path:
        """Add a device as v4l2loopback 0.15 shows it. ``busy``: a program writes to it."""
        sysfs = f"sys/class/video4linux/video{number}"
        self.write(f"{sysfs}/name", f"{name}\n")
        self.write(f"{sysfs}/max_openers", "10\n")
        self.write(f"{sysfs}/state", "capture\n" if busy else "output\n")
        return self.write(f"dev/video{number}")

    def loaded(self) -> None:
        self.write("sys/module/v4l2loopback/version", "0.15.4\n")

    def built(self) -> None:
        self.write(f"lib/modules/{self.release}/modules.dep", "updates/dkms/v4l2loopback.ko.zst: kernel/videodev.ko\n")


def commands(finding: Finding) -> list[str]:
    return [command.text for command in finding.commands]
