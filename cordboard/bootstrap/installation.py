"""What `cordboard install-dialplan` writes: the dialplan, the manager user, the systemd unit.

No other file is touched. The manager user's secret is made on the first installation and kept beside the
configuration, readable by its owner alone.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from agi_scripts.dialplan.install import DIALPLAN_INCLUDE, MANAGER_INCLUDE, NotOurs, install, uninstall
from agi_scripts.dialplan.render import render_dialplan, render_manager_user, render_systemd_unit
from cordboard.errors import CordboardError
from cordboard.settings import Settings, load_settings, read_secret

DIALPLAN, MANAGER, UNIT = "cordboard.conf", "manager.d/cordboard.conf", "cordboard.service"


class InstallationRefused(CordboardError):
    """Nothing was written; the message says why."""


@dataclass(frozen=True)
class Installation:
    """Where the files go. systemd: None leaves the unit out."""

    config: Path
    asterisk: Path
    systemd: Path | None

    def install(self, *, dry_run: bool) -> str:
        """Write what has changed and return it as a diff, without the secret. Raises InstallationRefused."""
        settings, _ = load_settings(self.config)
        secret = self._secret(settings, dry_run=dry_run)
        asterisk = {
            DIALPLAN: render_dialplan(worker_addresses(settings), settings.asterisk.safe_destination,
                                      settings.asterisk.patience_s),
            MANAGER: render_manager_user(settings.asterisk.ami.user, secret),
        }  # fmt: skip
        try:
            diff = install(self.asterisk, asterisk, dry_run)
            if self.systemd is not None:
                unit = render_systemd_unit(_own_command(), str(self.config.absolute()))
                diff += install(self.systemd, {UNIT: unit}, dry_run)
        except (NotOurs, OSError) as fault:
            raise InstallationRefused(str(fault)) from fault
        return diff.replace(secret, "********")

    def uninstall(self, *, dry_run: bool) -> str:
        """Remove our files and return what was in them as a diff. Raises InstallationRefused."""
        try:
            diff = uninstall(self.asterisk, (DIALPLAN, MANAGER), dry_run)
            if self.systemd is not None:
                diff += uninstall(self.systemd, (UNIT,), dry_run)
        except (NotOurs, OSError) as fault:
            raise InstallationRefused(str(fault)) from fault
        return "".join(line for line in diff.splitlines(keepends=True) if not line.startswith("-secret"))

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

    def _secret(self, settings: Settings, *, dry_run: bool) -> str:
        file = settings.asterisk.ami.secret.file
        if file is None:
            return read_secret(settings.asterisk.ami.secret, self.config)
        path = self.config / file
        if path.exists():
            return path.read_text("utf-8").strip()
        fresh = secrets.token_urlsafe(24)
        if not dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(fresh + "\n")
        return fresh


def worker_addresses(settings: Settings) -> list[str]:
    """The address of each worker's FastAGI port, as the dialplan needs them."""
    agi = settings.listen.agi
    return [f"{agi.host}:{agi.port + index}" for index in range(settings.workers)]


def _own_command() -> str:
    """The absolute path of this command."""
    return shutil.which("cordboard") or str(Path(sys.argv[0]).absolute())
