"""What `cordboard install-dialplan --switch freeswitch` writes: dialplan, Event Socket, a core setting, the unit.

FreeSWITCH's own freeswitch.xml includes all that stands in these folders, so no file of the admin's is edited. One
may be replaced: the Event Socket's as long as it has the password that everybody knows. It is kept beside ours.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from agi_scripts.dialplan.render import render_systemd_unit
from cordboard.bootstrap.agi_token import TOKEN_LENGTH, agi_token
from cordboard.bootstrap.installation import (
    HIDDEN,
    UNIT_USER,
    InstallationRefused,
    check_target,
    own_command,
    state_of,
)
from cordboard.bootstrap.own_files import NotOurs, install, is_ours, uninstall
from cordboard.bootstrap.service_user import ServiceSecret, give_to_service, secret_or_new
from cordboard.bootstrap.shared_unit import UNIT, not_named, still_served, unit_after_removal
from cordboard.settings import Settings, load_settings
from esl_apps.dialplan.render import (
    CORE,
    DIALPLAN,
    EVENT_SOCKET,
    render_core_settings,
    render_dialplan,
    render_event_socket,
)

KNOWN_PASSWORD = "ClueCon"  # noqa: S105 (FreeSWITCH comes with it)
FREESWITCH_USER = "freeswitch"  # prompts and messages are shared with the PBX
_TOKEN = re.compile(rf"\b[0-9a-f]{{{TOKEN_LENGTH}}}\b")


@dataclass(frozen=True)
class FreeswitchInstallation:
    """Where the files go. systemd: None leaves the unit out."""

    config: Path
    freeswitch: Path
    systemd: Path | None

    def install(self, *, dry_run: bool) -> str:
        """Write what has changed and return it as a diff, without what is secret. Raises InstallationRefused."""
        check_target(self.freeswitch, "FreeSWITCH")
        settings, _ = load_settings(self.config)
        secret = secret_or_new(settings.freeswitch.event_socket.secret, self.config)
        try:
            files = self._render(settings, secret)
            diff = self._write(files, dry_run=True)
            if not dry_run:
                user = unit_user(settings) if self.systemd is not None else None
                give_to_service(secret, state_of(self.config, settings), user)
                self._write(files, dry_run=False)
        except (NotOurs, OSError, ValueError) as fault:
            raise InstallationRefused(str(fault)) from fault
        return diff.replace(secret.text, HIDDEN).replace(agi_token(secret.text), HIDDEN)

    def uninstall(self, *, dry_run: bool) -> str:
        """Remove our files and return what was in them as a diff. Raises InstallationRefused."""
        try:
            diff = uninstall(self.freeswitch, self._ours_of((DIALPLAN, EVENT_SOCKET, CORE)), dry_run)
            if self.systemd is not None and not still_served(self.config, "freeswitch"):
                diff += uninstall(self.systemd, (UNIT,), dry_run)
        except (NotOurs, OSError) as fault:
            raise InstallationRefused(str(fault)) from fault
        lines = diff.splitlines(keepends=True)
        return _TOKEN.sub(HIDDEN, "".join(line for line in lines if 'name="password"' not in line))

    def next_steps(self) -> str:
        """What is left to the admin, as text."""
        return "\n".join(
            (
                *not_named(self.config, "freeswitch"),
                "Send calls in from your own context, for instance:",
                '    <action application="transfer" data="5000 XML cordboard"/>',
                "API calls in ${...} are off from now on, because a caller's name may hold one. If the dial-string",
                "of your directory (directory/default.xml) has one, as ${sofia_contact(...)}, replace the whole by",
                "    sofia/internal/${dialed_user}%${dialed_domain}",
                f"Then, the last one after which fs_cli wants (-p, /etc/fs_cli.conf) {self._password_in_words()}:",
                "    fs_cli -x 'reloadxml'",
                "    fs_cli -x 'fsctl api_expansion off'",
                "    fs_cli -x 'reload mod_event_socket'",
                *(["systemctl daemon-reload && systemctl enable --now cordboard"] if self.systemd else []),
                f"What is still wrong then tells: cordboard doctor -c {shlex.quote(str(self.config))}",
            )
        )

    def steps_after_removal(self) -> str:
        """What is left to the admin when our files are gone, as text."""
        return "\n".join(
            (
                *(unit_after_removal(self.config, "freeswitch") if self.systemd else []),
                "Take out what sends calls to the context cordboard. Then, the last one after which fs_cli wants",
                "the password that stands in event_socket.conf.xml now:",
                "    fs_cli -x 'reloadxml'",
                "    fs_cli -x 'fsctl api_expansion on'",
                "    fs_cli -x 'reload mod_event_socket'",
            )
        )

    def _password_in_words(self) -> str:
        file = load_settings(self.config)[0].freeswitch.event_socket.secret.file
        return "the password of the service" if file is None else f"the password in {self.config / file}"

    def _render(self, settings: Settings, secret: ServiceSecret) -> dict[Path, dict[str, str]]:
        """All files by folder and name, before one is written. Raises ValueError on a value that does not fit."""
        freeswitch, socket = settings.freeswitch, settings.freeswitch.event_socket
        dialplan = render_dialplan(
            esl_addresses(settings),
            freeswitch.safe_destination,
            freeswitch.patience_s,
            token=agi_token(secret.text),
        )
        files = {DIALPLAN: dialplan, CORE: render_core_settings()}
        if not self._has_own_event_socket(secret):
            host = "127.0.0.1" if socket.host == "localhost" else socket.host
            files[EVENT_SOCKET] = render_event_socket(secret.text, host, socket.port)
        folders = {self.freeswitch: files}
        if self.systemd is not None:
            config, state = str(self.config.absolute()), str(state_of(self.config, settings))
            user = unit_user(settings)
            unit = render_systemd_unit(own_command(), config, user, state_dir=state, drain_s=settings.drain_s)
            folders[self.systemd] = {UNIT: unit}
        return folders

    def _write(self, files: dict[Path, dict[str, str]], *, dry_run: bool) -> str:
        return "".join(
            install(
                folder,
                texts,
                dry_run=dry_run,
                may_replace=has_known_password,
                read_by=FREESWITCH_USER if folder == self.freeswitch else "",
            )
            for folder, texts in files.items()
        )

    def _has_own_event_socket(self, secret: ServiceSecret) -> bool:
        """Whether the admin has set up the Event Socket, so that it stays; its password must be the one we have.

        Raises NotOurs.
        """
        path = self.freeswitch / EVENT_SOCKET
        text = path.read_text("utf-8", errors="replace") if path.exists() else ""
        if not text or is_ours(text) or has_known_password(text):
            return False
        if event_socket_password(text) != secret.text:
            raise NotOurs(
                f"{path} has a password of your own, which is not the one that the service has: write it into "
                f"{secret.file or 'the variable that `freeswitch: {event_socket: {secret: ...}}` names'}"
            )
        return True

    def _ours_of(self, names: tuple[str, ...]) -> list[str]:
        """Without an Event Socket that was the admin's own all the time."""
        path = self.freeswitch / EVENT_SOCKET
        foreign = path.exists() and not is_ours(path.read_text("utf-8", errors="replace"))
        return [name for name in names if not (foreign and name == EVENT_SOCKET)]


def has_known_password(text: str) -> bool:
    """Whether a file is an Event Socket's with the password that FreeSWITCH comes with."""
    return event_socket_password(text) == KNOWN_PASSWORD


def event_socket_password(text: str) -> str | None:
    """The password in an event_socket.conf.xml; None if it is none, or is put together by the preprocessor."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (a file that root wrote)
    except ElementTree.ParseError:
        return None
    found = root.find(".//param[@name='password']")
    return None if found is None else found.get("value")


def esl_addresses(settings: Settings) -> list[str]:
    """The address of each worker's port for outbound sockets, as the dialplan needs them."""
    esl = settings.listen.esl
    return [f"{esl.host}:{esl.port + index}" for index in range(settings.workers)]


def unit_user(settings: Settings) -> str:
    """Whom the service runs as: with both switches on a machine, as Asterisk's user."""
    return UNIT_USER if "asterisk" in settings.switches else FREESWITCH_USER
