"""Check `user`: the user that the service runs as may write the state folder and read the secrets.

That is the user of the installed systemd unit; without one, whoever runs this. Permission bits are looked at, no
access lists.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from cordboard.bootstrap.checks.database import nearest_folder
from cordboard.bootstrap.checks.premises import Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, fault, ok
from cordboard.bootstrap.checks.weak_secrets import references
from cordboard.bootstrap.shared_unit import UNIT
from cordboard.config.secret_reference import SecretReference
from cordboard.telephony.capabilities import SwitchName

SYSTEMD = Path("/etc/systemd/system")
WRITTEN_INTO = ("prompts", "recordings", "requests", "revisions", "voicemail", "wakes")  # below the state folder
READ, WRITE, ENTER = 4, 2, 1


@dataclass(frozen=True, slots=True)
class User:
    """A user of this machine with all groups."""

    name: str
    uid: int
    groups: frozenset[int]

    def may(self, wanted: int, path: Path) -> bool:
        """Whether the user may do that (READ | WRITE | ENTER) with a file or folder, and enter all above it."""
        return all(self._may(ENTER, folder.stat()) for folder in path.parents) and self._may(wanted, path.stat())

    def _may(self, wanted: int, status: os.stat_result) -> bool:
        mode = stat.S_IMODE(status.st_mode)
        if self.uid == 0:
            return True
        if self.uid == status.st_uid:
            return mode >> 6 & wanted == wanted
        granted = mode >> 3 if status.st_gid in self.groups else mode
        return granted & wanted == wanted


async def look(premises: Premises) -> Sequence[Result]:
    """What the service's user may not do."""
    return await asyncio.to_thread(examine, premises, SYSTEMD / UNIT)


def examine(premises: Premises, unit: Path) -> list[Result]:
    """The same, at once. unit: the systemd unit, there or not."""
    name = unit_user(unit)
    try:
        user = find_user(name) if name else current_user()
    except KeyError:
        return [fault(f"{unit} runs as `{name}`, who does not exist", f"useradd --system {quoted(name)}")]
    results = _state(premises, user) + _secrets(premises, user)
    return results or [ok(f"`{user.name}` may write {premises.state} and read the secrets")]


def unit_user(unit: Path) -> str:
    """Who the installed unit runs as; "" if there is none."""
    try:
        found = re.search(r"(?m)^User\s*=\s*(\S+)", unit.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    return found[1] if found else ""


def find_user(name: str) -> User:
    """A user by name. Raises KeyError."""
    entry = pwd.getpwnam(name)
    return User(name, entry.pw_uid, frozenset(os.getgrouplist(name, entry.pw_gid)))


def current_user() -> User:
    """Whoever runs this."""
    name = str(os.geteuid())
    with suppress(KeyError):
        name = pwd.getpwuid(os.geteuid()).pw_name
    return User(name, os.geteuid(), frozenset((os.getegid(), *os.getgroups())))


def _state(premises: Premises, user: User) -> list[Result]:
    folders = _folders_of(premises.state)
    folder = next((one for one in folders if not user.may(READ | WRITE | ENTER, one)), None)
    if folder is None:
        return []
    own = f"chown -R {user.name} {quoted(premises.state)}"
    fix = own if premises.state in folders else f"mkdir -p {quoted(premises.state)} && {own}"
    return [fault(f"`{user.name}`, who runs the service, may not write {folder}", fix)]


def _folders_of(state: Path) -> list[Path]:
    """The state folder, with what somebody may have made in it before the service; or where it will be made."""
    if (nearest := nearest_folder(state)) != state:
        return [nearest]
    inside = (*map(state.joinpath, WRITTEN_INTO), *sorted(state.glob("prompts/*")))
    return [state, *(path for path in inside if path.is_dir())]


def _secrets(premises: Premises, user: User) -> list[Result]:
    files = [premises.directory / one.file for one in _references_in_use(premises) if one.file is not None]
    return [
        fault(
            f"`{user.name}`, who runs the service, may not read the secret in {file}",
            f"chown {user.name} {quoted(file.parent)} {quoted(file)}",
        )
        for file in files
        if file.exists() and not user.may(READ, file)
    ]


def _references_in_use(premises: Premises) -> Iterator[SecretReference]:
    """Without that of a switch which the service does not have: its file may be there from before."""
    settings = premises.settings
    unused = set(get_args(SwitchName)) - set(settings.switches)
    for section in type(settings).model_fields:
        if section not in unused:
            yield from references(getattr(settings, section))


CHECK = Check("user", look, "a folder does not answer; is it on a network disk?")
