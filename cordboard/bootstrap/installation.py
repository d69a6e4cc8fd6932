"""What `cordboard install-dialplan` writes: the dialplan, the manager user, the systemd unit.

No other file is touched. The manager user's secret is made on the first installation and kept beside the
configuration, readable by the service's user alone.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from agi_scripts.dialplan.install import DIALPLAN_INCLUDE, MANAGER_INCLUDE, NotOurs, install, uninstall
from agi_scripts.dialplan.render import render_dialplan, render_manager_user, render_systemd_unit
from cordboard.bootstrap.agi_token import TOKEN_LENGTH, agi_token
from cordboard.errors import CordboardError
from cordboard.settings import Settings, load_settings, read_secret

DIALPLAN, MANAGER, UNIT = "cordboard.conf", "manager.d/cordboard.conf", "cordboard.service"
UNIT_USER = "asterisk"  # prompts and messages are shared with the PBX
HIDDEN = "********"
_TOKEN = re.compile(rf"\b[0-9a-f]{{{TOKEN_LENGTH}}}\b")


class InstallationRefused(CordboardError):
    """Nothing was written; the message says why."""


@dataclass(frozen=True)
class _Secret:
    """The manager user's secret. file: where it is kept, or will be; None if the environment has it."""

    text: str
    file: Path | None
    is_new: bool


@dataclass(frozen=True)
class Installation:
    """Where the files go. systemd: None leaves the unit out."""

    config: Path
    asterisk: Path
    systemd: Path | None

    def install(self, *, dry_run: bool) -> str:
        """Write what has changed and return it as a diff, without what is secret. Raises InstallationRefused."""
        settings, _ = load_settings(self.config)
        secret = self._secret(settings)
        try:
            files = self._render(settings, secret.text)
            diff = "".join(install(folder, texts, dry_run=True) for folder, texts in files.items())
            if not dry_run:
                self._give_to_service(settings, secret)
                for folder, texts in files.items():
                    install(folder, texts)
        except (NotOurs, OSError, ValueError) as fault:
            raise InstallationRefused(str(fault)) from fault
        return diff.replace(secret.text, HIDDEN).replace(agi_token(secret.text), HIDDEN)

    def uninstall(self, *, dry_run: bool) -> str:
        """Remove our files and return what was in them as a diff. Raises InstallationRefused."""
        try:
            diff = uninstall(self.asterisk, (DIALPLAN, MANAGER), dry_run)
            if self.systemd is not None:
                diff += uninstall(self.systemd, (UNIT,), dry_run)
        except (NotOurs, OSError) as fault:
            raise InstallationRefused(str(fault)) from fault
        shown = "".join(line for line in diff.splitlines(keepends=True) if not line.startswith("-secret"))
        return _TOKEN.sub(HIDDEN, shown)

    def next_steps(self) -> str:
        """What is left to the admin, as text."""
        return "\n".join(
            (
                f"In {self.asterisk}/extensions.conf add, once:",
                f"    {DIALPLAN_INCLUDE}",
                "and send calls in from your own context, for instance:",
                "    exten => 5000,1,Goto(cordboard,${EXTEN},1)",
                f"Unless {self.asterisk}/manager.conf includes manager.d/*.conf already, add there:",
                f"    {MANAGER_INCLUDE}",
                "Then: asterisk -rx 'dialplan reload' and asterisk -rx 'manager reload'",
                *(["systemctl daemon-reload && systemctl enable --now cordboard"] if self.systemd else []),
            )
        )

    def _secret(self, settings: Settings) -> _Secret:
        """The manager user's secret; a new one if there is none. Raises ConfigurationError if it is unreadable."""
        reference = settings.asterisk.ami.secret
        path = self.config / reference.file if reference.file else None
        if path is not None and not path.exists():
            return _Secret(secrets.token_urlsafe(24), path, is_new=True)
        return _Secret(read_secret(reference, self.config), path, is_new=False)

    def _render(self, settings: Settings, secret: str) -> dict[Path, dict[str, str]]:
        """All files by folder and name, before one is written. Raises ValueError on a value that does not fit."""
        asterisk = settings.asterisk
        token = agi_token(secret)
        dialplan = render_dialplan(
            worker_addresses(settings), asterisk.safe_destination, asterisk.patience_s, token=token
        )
        files = {self.asterisk: {DIALPLAN: dialplan, MANAGER: render_manager_user(asterisk.ami.user, secret)}}
        if self.systemd is not None:
            config, state = str(self.config.absolute()), str(self._state(settings))
            unit = render_systemd_unit(_own_command(), config, UNIT_USER, state_dir=state, drain_s=settings.drain_s)
            files[self.systemd] = {UNIT: unit}
        return files

    def _give_to_service(self, settings: Settings, secret: _Secret) -> None:
        """Write a new secret; see that the unit's user can read it and write into the state folder."""
        user = _unit_user() if self.systemd is not None else None
        if secret.file is not None and secret.is_new:
            _make_folder(secret.file.parent, 0o700, user)
            _write_secret(secret.file, secret.text)
        if user is None:
            return
        _make_folder(self._state(settings), 0o750, user)
        if secret.file is not None:
            for path in filter(_is_roots_alone, (secret.file.parent, secret.file)):
                os.chown(path, user.pw_uid, user.pw_gid)

    def _state(self, settings: Settings) -> Path:
        return Path(os.path.normpath(self.config.absolute() / settings.state))


def _unit_user() -> pwd.struct_passwd | None:
    """Whom files have to be given to; None if we may not, or if there is no such user."""
    try:
        return pwd.getpwnam(UNIT_USER) if os.geteuid() == 0 else None
    except KeyError:
        return None


def _make_folder(path: Path, mode: int, owner: pwd.struct_passwd | None) -> None:
    """A folder of the owner's; one that exists is left as it is."""
    if path.exists():
        return
    path.mkdir(mode=mode, parents=True)
    if owner is not None:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text + "\n")


def _is_roots_alone(path: Path) -> bool:
    """Whether nobody but root can use a file or folder, so that the service certainly cannot."""
    status = path.stat()
    return status.st_uid == 0 and not status.st_mode & 0o077


def worker_addresses(settings: Settings) -> list[str]:
    """The address of each worker's FastAGI port, as the dialplan needs them."""
    agi = settings.listen.agi
    return [f"{agi.host}:{agi.port + index}" for index in range(settings.workers)]


def _own_command() -> str:
    """The absolute path of this command."""
    return shutil.which("cordboard") or str(Path(sys.argv[0]).absolute())
