"""An installation in a folder of its own, all in order, for the checks of `cordboard doctor` to look at."""

from __future__ import annotations

import os
import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.bootstrap.checks.premises import Premises, survey
from cordboard.bootstrap.checks.result import Level, Result
from cordboard.bootstrap.installation import Installation
from cordboard.lab.ports import find_free_ports
from cordboard.store.database import open_database

NOBODY = 65534
SECRET = "kT8wYxq2-rLmZ5uNvB7cD3eF"

FLOW = """\
flow: hello
languages: [en]
prompts: {hello: {en: "hello"}}
nodes:
  hello: {play: hello, next: bye}
  bye: {hangup: normal}
"""
EXTENSIONS = '[from-trunk]\nexten => 5000,1,Goto(cordboard,${EXTEN},1)\n#include "cordboard.conf"\n'
MANAGER = '[general]\nenabled = yes\nport = {port}\n#include "manager.d/*.conf"\n'


@dataclass
class Site:
    """root: below it config/, asterisk/ and state/. settings: more lines of cordboard.yaml."""

    root: Path
    ami_port: int = 1  # nobody listens there
    settings: str = ""
    agi_port: int = field(default_factory=find_free_ports)
    http_port: int = field(default_factory=find_free_ports)
    desk_port: int = field(default_factory=find_free_ports)

    def __post_init__(self) -> None:
        self.config, self.asterisk, self.state = (self.root / name for name in ("config", "asterisk", "state"))
        for folder in (self.config / "flows", self.config / "secrets", self.asterisk, self.state):
            folder.mkdir(parents=True)
        self.write("flows/hello.yaml", FLOW)
        self.write("numbers.yaml", "default: hello\n")
        self.write("secrets/ami", SECRET)
        (self.config / "secrets" / "ami").chmod(0o600)
        self.write_settings()

    def write(self, name: str, text: str) -> None:
        """A file of the configuration."""
        path = self.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def write_settings(self) -> None:
        """cordboard.yaml anew."""
        listen = (
            f"agi: {{port: {self.agi_port}}}, http: {{port: {self.http_port}}}, desk: {{port: {self.desk_port}}}"
        )
        head = f"state: ../state\nasterisk: {{ami: {{port: {self.ami_port}}}}}\n"
        listening = "" if "listen:" in self.settings else f"listen: {{{listen}}}\n"
        self.write("cordboard.yaml", head + listening + self.settings)

    def add_agents(self, **devices: str) -> None:
        """Agents of a queue `sales`, by their devices."""
        agents = "".join(f"  {name}: {{device: {device}, queues: [sales]}}\n" for name, device in devices.items())
        self.write("agents.yaml", f"agents:\n{agents}")
        self.write("queues.yaml", "queues: {sales: {accept: {key: 1}}}\n")

    def install_ours(self) -> None:
        """What `install-dialplan` writes."""
        Installation(self.config, self.asterisk, None).install(dry_run=False)

    def install(self) -> None:
        """Our files, and an admin's that include them."""
        self.install_ours()
        (self.asterisk / "extensions.conf").write_text(EXTENSIONS)
        (self.asterisk / "manager.conf").write_text(MANAGER.format(port=self.ami_port))
        (self.asterisk / "musiconhold.conf").write_text("[default]\nmode = files\n")

    def record(self) -> None:
        """A recording for the one prompt."""
        (self.config / "prompts" / "en").mkdir(parents=True)
        write_tone(self.config / "prompts" / "en" / "hello.wav")

    def make_database(self) -> Path:
        """The service's own database."""
        path = self.state / "cordboard.db"
        open_database(path).dispose()
        return path

    def premises(self) -> Premises:
        """As the doctor sees it now."""
        return survey(self.config, self.asterisk)


def write_tone(path: Path, rate: int = 8000) -> None:
    """A playable file, unless the rate is wrong."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"\1\2" * rate)


def only(results: list[Result] | tuple[Result, ...], level: Level) -> Result:
    """The one result, which is of that level and comes with a fix if something is wrong."""
    assert [result.level for result in results] == [level], results
    assert results[0].fix or level < Level.WARNING, results
    return results[0]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Do something as a user who may do little. Tests that run as root would else be refused nothing."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody can enter, as pytest's own cannot be."""
    with tempfile.TemporaryDirectory(prefix="cordboard-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
