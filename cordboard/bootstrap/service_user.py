"""What the service's user has to be able to use: the secret of a switch, and the state folder.

Called by the installations, which an admin runs as root; the service itself runs as a user of its own.
"""

from __future__ import annotations

import os
import pwd
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.config.secret_reference import SecretReference
from cordboard.settings import read_secret


@dataclass(frozen=True)
class ServiceSecret:
    """A secret that we and a switch share. file: where it is kept, or will be; None if the environment has it."""

    text: str = field(repr=False)
    file: Path | None
    is_new: bool


def secret_or_new(reference: SecretReference, config: Path) -> ServiceSecret:
    """The secret; a new one if there is no file yet. Raises ConfigurationError if it is unreadable."""
    path = config / reference.file if reference.file else None
    if path is not None and not path.exists():
        return ServiceSecret(secrets.token_urlsafe(24), path, is_new=True)
    return ServiceSecret(read_secret(reference, config), path, is_new=False)


def give_to_service(secret: ServiceSecret, state: Path, user_name: str | None) -> None:
    """Write a new secret; see that the user can read it and write into the state folder.

    user_name: None if nobody is to be given anything.
    """
    user = _user(user_name) if user_name is not None else None
    if secret.file is not None and secret.is_new:
        _make_folder(secret.file.parent, 0o700, user)
        _write_secret(secret.file, secret.text)
    if user is None:
        return
    _make_folder(state, 0o750, user)
    if secret.file is not None:
        for path in filter(_is_roots_alone, (secret.file.parent, secret.file)):
            os.chown(path, user.pw_uid, user.pw_gid)


def _user(name: str) -> pwd.struct_passwd | None:
    """Whom files have to be given to; None if we may not, or if there is no such user."""
    try:
        return pwd.getpwnam(name) if os.geteuid() == 0 else None
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
