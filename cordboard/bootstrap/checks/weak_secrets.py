"""Check `secrets`: what could be guessed, and what others on this machine could read.

A secret's text is looked at and never shown.
"""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from pydantic import BaseModel

from cordboard.bootstrap.checks.database_server import answers_of
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, fault, listed, note, ok, warning
from cordboard.bootstrap.checks.sqlite_files import read_only
from cordboard.bootstrap.installation import DIALPLAN, MANAGER
from cordboard.errors import ConfigurationError
from cordboard.settings import SecretReference, read_secret
from cordboard.store.address import Address, PostgresAddress

SHORTEST = 16  # characters; `install-dialplan` makes 32
FEWEST_KINDS = 6  # different characters: `aaaaaaaaaaaaaaaa` is long too
# Of manuals, images and distributions; compared in small letters.
WELL_KNOWN = frozenset(
    {
        "admin", "amp109", "amp111", "asterisk", "changeme", "cluecon", "cordboard", "default", "elastix",
        "freepbx", "issabel", "letmein", "manager", "mysecret", "pass", "passw0rd", "password", "password1",
        "secret", "secret123", "secret5", "test", "verysecret", "vicidial",
    }
)  # fmt: skip


async def look(premises: Premises) -> Sequence[Result]:
    """Results for every secret that is configured, the files that hold them, and agents without a password."""
    return await asyncio.to_thread(examine, premises)


def examine(premises: Premises) -> list[Result]:
    """The same, at once."""
    results = [
        *_manager_secret(premises),
        *_event_socket_secret(premises),
        *_readable_files(premises),
        *_without_password(premises),
    ]
    return results or [ok("the switch's secret is long, and only its user can read it")]


def _manager_secret(premises: Premises) -> Iterator[Result]:
    if "asterisk" not in premises.settings.switches:
        return
    try:
        secret = premises.ami_secret()
    except ConfigurationError as unreadable:
        yield _unreadable(premises, unreadable)
        return
    if weakness := weakness_of(secret):
        again = "write a longer one there"
        file = premises.settings.asterisk.ami.secret.file
        if file is not None:
            again = f"rm {quoted(premises.directory / file)} && {premises.install_command()}"
        yield fault(f"the manager's secret {weakness}", again)


def _event_socket_secret(premises: Premises) -> Iterator[Result]:
    reference = premises.settings.freeswitch.event_socket.secret
    if "freeswitch" not in premises.settings.switches:
        return
    try:
        secret = read_secret(reference, premises.directory)
    except ConfigurationError as unreadable:
        yield fault(unreadable.findings[0].message, premises.install_freeswitch_command())
        return
    if weakness := weakness_of(secret):
        yield fault(f"the Event Socket's password {weakness}", "choose a longer one, and install anew")


def _unreadable(premises: Premises, refusal: ConfigurationError) -> Result:
    finding, file = refusal.findings[0], premises.settings.asterisk.ami.secret.file
    if file is not None and not (premises.directory / file).exists():
        return fault(f"the manager's secret {premises.directory / file} is not there", premises.install_command())
    return fault(finding.message, finding.hint or "set it in the environment of the service")


def weakness_of(secret: str) -> str:
    """Why a secret can be guessed, as the rest of a sentence; "" if it is good."""
    if secret.lower() in WELL_KNOWN or (secret.isdecimal() and len(secret) < SHORTEST):
        return "is one that everybody tries first"
    if len(secret) < SHORTEST:
        return f"has {len(secret)} characters; {SHORTEST} are the least that cannot be guessed"
    return "repeats a few characters" if len(set(secret)) < FEWEST_KINDS else ""


def _readable_files(premises: Premises) -> Iterator[Result]:
    """Files with a secret in them that others may read."""
    for file in sorted({premises.directory / file for file in _secret_files(premises)}):
        if others_may_read(file):
            yield fault(f"everybody on this machine can read the secret in {file}", f"chmod o= {quoted(file)}")
    for file in (premises.asterisk / DIALPLAN, premises.asterisk / MANAGER):
        if others_may_read(file):
            yield warning(f"everybody on this machine can read {file}", f"chmod o= {quoted(file)}")


def _secret_files(premises: Premises) -> Iterator[Path]:
    """Every file that a secret is kept in."""
    return (reference.file for reference in _all_references(premises) if reference.file is not None)


def configured_secrets(premises: Premises) -> list[str]:
    """Every secret that can be read, to be kept out of what is shown."""
    secrets = []
    for reference in _all_references(premises):
        with suppress(ConfigurationError):
            secrets.append(read_secret(reference, premises.directory))
    return secrets


def _all_references(premises: Premises) -> Iterator[SecretReference]:
    """The references in cordboard.yaml and crm.yaml, as far as these can be read."""
    yield from references(premises.known_settings)
    with suppress(NotLookedAt):
        yield from references(premises.crm)


def references(value: object) -> Iterator[SecretReference]:
    """The references to secrets anywhere in a section."""
    if isinstance(value, SecretReference):
        yield value
        return
    for inner in _parts(value):
        yield from references(inner)


def _parts(value: object) -> list[object]:
    if isinstance(value, BaseModel):
        return [inner for _, inner in value]
    return list(value.values()) if isinstance(value, dict) else []


def others_may_read(file: Path) -> bool:
    """Whether users that are neither owner nor group can read it, through every folder above it."""
    try:
        above = [folder.stat().st_mode for folder in file.absolute().parents]
        return bool(file.stat().st_mode & stat.S_IROTH) and all(mode & stat.S_IXOTH for mode in above)
    except OSError:
        return False


def _without_password(premises: Premises) -> Iterator[Result]:
    agents = premises.known_plan.agents if premises.known_plan is not None else {}
    known = logins(premises.database)
    missing = [name for name in agents if name not in known] if known is not None else list(agents)
    if missing:
        seen = f"without a password for the desk: {listed(missing)}"
        yield note(seen, f"cordboard agent password {missing[0]} -c {quoted(premises.directory)}")


def logins(database: Address) -> set[str] | None:
    """The agents with a password; None if there is no database, or it cannot be read."""
    if isinstance(database, PostgresAddress):
        known = answers_of(database, "SELECT agent FROM logins")
        return None if known is None else set(known)
    if not database.is_file():
        return None
    try:
        with closing(read_only(database)) as connection:
            return {row[0] for row in connection.execute("SELECT agent FROM logins")}
    except sqlite3.Error:
        return None


CHECK = Check("secrets", look, "a folder with secrets does not answer; is it on a network disk?")
