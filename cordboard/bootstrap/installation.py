"""What `cordboard install-dialplan` writes: the dialplan, the manager user, the systemd unit.

No other file is touched. The manager user's secret is made on the first installation and kept beside the
configuration, readable by the service's user alone.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from agi_scripts.dialplan.render import (
    DIALPLAN_INCLUDE,
    MANAGER_INCLUDE,
    render_dialplan,
    render_manager_user,
    render_systemd_unit,
)
from cordboard.bootstrap.agi_token import TOKEN_LENGTH, agi_token
from cordboard.bootstrap.own_files import NotOurs, install, uninstall
from cordboard.bootstrap.service_user import give_to_service, secret_or_new
from cordboard.bootstrap.shared_unit import UNIT, not_named, still_served, unit_after_removal
from cordboard.errors import CordboardError
from cordboard.settings import Settings, load_settings

DIALPLAN, MANAGER = "cordboard.conf", "manager.d/cordboard.conf"
UNIT_USER = "asterisk"  # prompts and messages are shared with the PBX
HIDDEN = "********"
_TOKEN = re.compile(rf"\b[0-9a-f]{{{TOKEN_LENGTH}}}\b")


class InstallationRefused(CordboardError):
    """Nothing was written; the message says why."""


@dataclass(frozen=True)
class Installation:
    """Where the files go. systemd: None leaves the unit out."""

    config: Path
    asterisk: Path
    systemd: Path | None

    def install(self, *, dry_run: bool) -> str:
        """Write what has changed and return it as a diff, without what is secret. Raises InstallationRefused."""
        check_target(self.asterisk, "Asterisk")
        settings, _ = load_settings(self.config)
        secret = secret_or_new(settings.asterisk.ami.secret, self.config)
        try:
            files = self._render(settings, secret.text)
            diff = "".join(install(folder, texts, dry_run=True) for folder, texts in files.items())
            if not dry_run:
                give_to_service(
                    secret, state_of(self.config, settings), UNIT_USER if self.systemd is not None else None
                )
                for folder, texts in files.items():
                    install(folder, texts)
        except (NotOurs, OSError, ValueError) as fault:
            raise InstallationRefused(str(fault)) from fault
        return diff.replace(secret.text, HIDDEN).replace(agi_token(secret.text), HIDDEN)

    def uninstall(self, *, dry_run: bool) -> str:
        """Remove our files and return what was in them as a diff. Raises InstallationRefused."""
        try:
            diff = uninstall(self.asterisk, (DIALPLAN, MANAGER), dry_run)
            if self.systemd is not None and not still_served(self.config, "asterisk"):
                diff += uninstall(self.systemd, (UNIT,), dry_run)
        except (NotOurs, OSError) as fault:
            raise InstallationRefused(str(fault)) from fault
        shown = "".join(line for line in diff.splitlines(keepends=True) if not line.startswith("-secret"))
        return _TOKEN.sub(HIDDEN, shown)

    def next_steps(self) -> str:
        """What is left to the admin, as text."""
        return "\n".join(
            (
                *not_named(self.config, "asterisk"),
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

    def steps_after_removal(self) -> str:
        """What is left to the admin when our files are gone, as text."""
        return "\n".join(
            (
                *(unit_after_removal(self.config, "asterisk") if self.systemd else []),
                f"Take out what leads to our files in {self.asterisk}/extensions.conf and manager.conf:",
                f"    {DIALPLAN_INCLUDE}",
                f"    {MANAGER_INCLUDE}",
                "and what sends calls to the context cordboard.",
                "Then: asterisk -rx 'dialplan reload' and asterisk -rx 'manager reload'",
            )
        )

    def _render(self, settings: Settings, secret: str) -> dict[Path, dict[str, str]]:
        """All files by folder and name, before one is written. Raises ValueError on a value that does not fit."""
        asterisk = settings.asterisk
        token = agi_token(secret)
        dialplan = render_dialplan(
            worker_addresses(settings), asterisk.safe_destination, asterisk.patience_s, token=token
        )
        files = {self.asterisk: {DIALPLAN: dialplan, MANAGER: render_manager_user(asterisk.ami.user, secret)}}
        if self.systemd is not None:
            config, state = str(self.config.absolute()), str(state_of(self.config, settings))
            unit = render_systemd_unit(own_command(), config, UNIT_USER, state_dir=state, drain_s=settings.drain_s)
            files[self.systemd] = {UNIT: unit}
        return files


def check_target(folder: Path, switch: str) -> None:
    """That the switch reads its files there: nobody is to look for ours in a folder of our own making.

    Raises InstallationRefused.
    """
    if not folder.is_dir():
        hint = f"write where the files of your {switch} are: --target DIR"
        raise InstallationRefused(f"there is no {folder}, so nothing was written; {hint}")


def state_of(config: Path, settings: Settings) -> Path:
    """The folder that the service writes into, absolute."""
    return Path(os.path.normpath(config.absolute() / settings.state))


def worker_addresses(settings: Settings) -> list[str]:
    """The address of each worker's FastAGI port, as the dialplan needs them."""
    agi = settings.listen.agi
    return [f"{agi.host}:{agi.port + index}" for index in range(settings.workers)]


def own_command() -> str:
    """The absolute path of this command."""
    return shutil.which("cordboard") or str(Path(sys.argv[0]).absolute())
