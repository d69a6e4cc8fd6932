"""What the checks of `cordboard doctor` look at: a configuration as far as it can be read, and Asterisk's files.

A faulty file does not end the examination: its findings are kept, and what the other files say is still there.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import FloorPlan
from cordboard.bootstrap.checks.event_socket_session import EventSocketSession, SharedEventSocket
from cordboard.bootstrap.checks.manager_session import ManagerSession, SharedLogin
from cordboard.bootstrap.configuration import Configuration, load_configuration
from cordboard.bootstrap.database_address import database_of
from cordboard.config.findings import Finding
from cordboard.crm.crm_file import CrmSettings, load_crm
from cordboard.errors import ConfigurationError
from cordboard.settings import Settings, load_settings, read_secret
from cordboard.store.address import Address

_T = TypeVar("_T")


class NotLookedAt(Exception):
    """A check cannot be made, because of something that another check tells of. The message says what."""


@dataclass(frozen=True)
class Premises:
    """directory: the configuration, absolute; asterisk, freeswitch: their configuration directories, there or not.

    findings: what `lint` says; known: the files that could be read, None for those that could not.
    """

    directory: Path
    asterisk: Path
    findings: tuple[Finding, ...]
    known_settings: Settings | None
    known_plan: FloorPlan | None
    known_configuration: Configuration | None
    login: SharedLogin = field(default_factory=SharedLogin)
    freeswitch: Path = Path("/etc/freeswitch")
    esl: SharedEventSocket = field(default_factory=SharedEventSocket)

    @property
    def settings(self) -> Settings:
        """All of cordboard.yaml. Raises NotLookedAt."""
        if self.known_settings is None:
            raise NotLookedAt("cordboard.yaml has faults")
        return self.known_settings

    @property
    def plan(self) -> FloorPlan:
        """Queues and agents. Raises NotLookedAt."""
        if self.known_plan is None:
            raise NotLookedAt("queues.yaml or agents.yaml has faults")
        return self.known_plan

    @property
    def configuration(self) -> Configuration:
        """Everything. Raises NotLookedAt."""
        if self.known_configuration is None:
            raise NotLookedAt("the configuration has faults")
        return self.known_configuration

    @property
    def crm(self) -> CrmSettings | None:
        """The CRM; None if there is none. Raises NotLookedAt."""
        try:
            return load_crm(self.directory)
        except ConfigurationError as fault:
            raise NotLookedAt("crm.yaml has faults") from fault

    @property
    def state(self) -> Path:
        """The folder the service writes to, absolute. Raises NotLookedAt."""
        return Path(os.path.normpath(self.directory / self.settings.state))

    @property
    def database(self) -> Address:
        """The database, there or not. Raises NotLookedAt."""
        try:
            return database_of(self.settings, self.directory)
        except ConfigurationError as fault:
            raise NotLookedAt("the database's password cannot be read") from fault

    def ami_secret(self) -> str:
        """The manager user's secret. Raises NotLookedAt, ConfigurationError if it cannot be read."""
        return read_secret(self.settings.asterisk.ami.secret, self.directory)

    async def manager(self) -> ManagerSession:
        """The log-in that the checks share. Raises NotLookedAt, NoLogin."""
        ami = self.settings.asterisk.ami
        try:
            secret = self.ami_secret()
        except ConfigurationError as fault:
            raise NotLookedAt("the manager's secret cannot be read") from fault
        return await self.login.session(ami.host, ami.port, ami.user, secret)

    async def event_socket(self) -> EventSocketSession:
        """The log-in to FreeSWITCH that the checks share. Raises NotLookedAt, NoEventSocket."""
        socket = self.settings.freeswitch.event_socket
        try:
            secret = read_secret(socket.secret, self.directory)
        except ConfigurationError as fault:
            raise NotLookedAt("the event socket's password cannot be read") from fault
        return await self.esl.session(socket.host, socket.port, secret)

    def spoken_languages(self) -> set[str]:
        """Every language of a flow; none if the configuration has faults."""
        known = self.known_configuration
        return {prompt.language for prompt in known.prompts()} if known is not None else set()

    def close(self) -> None:
        """End the log-ins."""
        self.login.close()
        self.esl.close()

    def install_freeswitch_command(self) -> str:
        """The command that writes our files for FreeSWITCH anew and has it read them."""
        target = "" if self.freeswitch == Path("/etc/freeswitch") else f" --target {quoted(self.freeswitch)}"
        where = f"-c {quoted(self.directory)}{target}"
        return f"cordboard install-dialplan --switch freeswitch {where} && fs_cli -x reloadxml"

    def install_command(self) -> str:
        """The command that writes our files for Asterisk anew and has it read them."""
        target = "" if self.asterisk == Path("/etc/asterisk") else f" --target {quoted(self.asterisk)}"
        reload = "asterisk -rx 'dialplan reload' && asterisk -rx 'manager reload'"
        return f"cordboard install-dialplan -c {quoted(self.directory)}{target} && {reload}"


def survey(directory: Path, asterisk: Path, freeswitch: Path = Path("/etc/freeswitch")) -> Premises:
    """Read what can be read. Never raises for what an admin wrote."""
    directory, asterisk, freeswitch = (
        Path(os.path.normpath(path.absolute())) for path in (directory, asterisk, freeswitch)
    )
    findings: list[Finding] = []
    configuration = _read(lambda: load_configuration(directory, need_secrets=False), findings)
    settings = _read(lambda: load_settings(directory)[0], [])
    plan = _read(lambda: load_floor_plan(directory), [])
    return Premises(directory, asterisk, tuple(findings), settings, plan, configuration, freeswitch=freeswitch)


def quoted(path: Path | str) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


def _read(load: Callable[[], _T], findings: list[Finding]) -> _T | None:
    try:
        return load()
    except ConfigurationError as fault:
        findings.extend(fault.findings)
    except OSError as fault:
        findings.append(Finding(str(fault.filename), 1, 1, "unreadable", f"it cannot be read: {fault.strerror}"))
    return None
