"""What `install-dialplan` has written for Asterisk, held against what it would write now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agi_scripts.dialplan.render import VERSION
from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.installation import DIALPLAN, MANAGER, Installation, InstallationRefused
from cordboard.errors import ConfigurationError

Standing = Literal["current", "missing", "changed"]


@dataclass(frozen=True, slots=True)
class Installed:
    """How the two files stand. lines: how many differ in the dialplan, whose own version is `version`; refusal: why
    that cannot be told, or "".
    """

    dialplan: Standing = "current"
    manager: Standing = "current"
    lines: int = 0
    version: int = VERSION
    refusal: str = ""


def compare(premises: Premises) -> Installed:
    """Look at the files in Asterisk's directory. Writes nothing."""
    if refusal := _unreadable(premises):
        return Installed(refusal=refusal)
    try:
        diff = Installation(premises.directory, premises.asterisk, None).install(dry_run=True)
    except ConfigurationError as fault:
        return Installed(refusal=fault.findings[0].message)
    except InstallationRefused as fault:
        return Installed(refusal=str(fault))
    parts = _by_file(diff)
    dialplan, manager = (parts.get(str(premises.asterisk / name), "") for name in (DIALPLAN, MANAGER))
    lines = len(re.findall(r"(?m)^\+(?!\+\+ )", dialplan))
    return Installed(_standing(dialplan), _standing(manager), lines, _version(dialplan))


def _version(diff: str) -> int:
    """Of the dialplan that stands there; what says nothing is from before versions were numbered."""
    if not re.search(rf"(?m)^\+; Version {VERSION}:", diff):
        return VERSION
    found = re.search(r"(?m)^-; Version ([0-9]+):", diff)
    return int(found[1]) if found else 1


def _unreadable(premises: Premises) -> str:
    """The first of our files that is there and cannot be read."""
    for path in (premises.asterisk / DIALPLAN, premises.asterisk / MANAGER):
        try:
            path.open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as fault:
            return f"{path} cannot be read ({fault.strerror})"
    return ""


def _by_file(diff: str) -> dict[str, str]:
    """A unified diff, cut into one for each file."""
    parts = re.split(r"(?m)^(?=--- )", diff)
    return {found[1].strip(): part for part in parts if (found := re.search(r"(?m)^\+\+\+ (.*)$", part))}


def _standing(diff: str) -> Standing:
    if not diff:
        return "current"
    return "missing" if diff.startswith("--- /dev/null") else "changed"
