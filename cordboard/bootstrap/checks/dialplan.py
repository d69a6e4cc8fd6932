"""Check `dialplan`: our files for Asterisk are those that would be written now, and are included and loaded.

Looks into Asterisk's own directory, and asks the running Asterisk whether it has read what stands there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from agi_scripts.dialplan.render import DIALPLAN_INCLUDE, MANAGER_INCLUDE, VERSION
from cordboard.bootstrap.checks.asterisk_files import Reading, read_with_includes
from cordboard.bootstrap.checks.installed import compare
from cordboard.bootstrap.checks.manager_session import NoLogin
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises, quoted
from cordboard.bootstrap.checks.result import Check, Result, counted, fault, note, ok, warning
from cordboard.bootstrap.installation import DIALPLAN, MANAGER
from cordboard.errors import SwitchError

_LOADED = "DIALPLAN_EXISTS(cordboard-call,loop,1)"
_IS_OURS_NOW = f"DIALPLAN_EXISTS(cordboard-call,version-{VERSION},1)"
_ENTRY = re.compile(r"goto\w*\(cordboard,|include\s*=>?\s*cordboard\s*$|gosub\w*\(cordboard,", re.IGNORECASE)


async def look(premises: Premises) -> Sequence[Result]:
    """What is wrong with the files, and with what Asterisk has of them."""
    _ = premises.settings
    if not await asyncio.to_thread(premises.asterisk.is_dir):
        return [_no_directory(premises)]
    results = await asyncio.to_thread(examine, premises)
    if not any(result.fix for result in results):
        results += await _loaded(premises)
    return results or [ok(f"{premises.asterisk / DIALPLAN} is current, included and loaded")]


def examine(premises: Premises) -> list[Result]:
    """What is wrong with the files."""
    installed = compare(premises)
    if installed.refusal:
        fix = f"sudo cordboard doctor -c {quoted(premises.directory)} --asterisk {quoted(premises.asterisk)}"
        return [warning(f"not looked at: {installed.refusal}", fix)]
    results = []
    if installed.dialplan != "current":
        results.append(_outdated(premises, DIALPLAN, installed.dialplan, installed.lines, installed.version))
    if installed.manager != "current":
        results.append(_outdated(premises, MANAGER, installed.manager))
    return results + _not_included(premises)


def _no_directory(premises: Premises) -> Result:
    seen = f"not looked at: there is no {premises.asterisk}"
    fix = "run this where Asterisk is, or say where its files are: --asterisk DIR"
    return warning(seen, fix)


def _outdated(premises: Premises, name: str, standing: str, lines: int = 0, version: int = VERSION) -> Result:
    path = premises.asterisk / name
    if standing == "missing":
        return fault(f"{path} is not there", premises.install_command())
    if version < VERSION:
        seen = f"{path} is of an earlier release (version {version}, not {VERSION}) and lacks what flows may ask"
        return fault(seen, premises.install_command())
    differ = f" ({counted(lines, 'line')} would change)" if lines else ""
    return fault(f"{path} is not what the settings ask for now{differ}", premises.install_command())


def _not_included(premises: Premises) -> list[Result]:
    """What the admin's own files leave out."""
    extensions = read_with_includes(premises.asterisk, "extensions.conf")
    manager = read_with_includes(premises.asterisk, "manager.conf")
    results = _unread(extensions) + _unread(manager)
    if premises.asterisk / DIALPLAN not in extensions.files:
        results.append(_missing_include(premises, "extensions.conf", DIALPLAN_INCLUDE, "dialplan reload"))
    elif not sends_calls(premises, extensions):
        seen = f"nothing in {premises.asterisk / 'extensions.conf'} sends calls to the context [cordboard]"
        results.append(warning(seen, "in your trunk's context write: exten => 5000,1,Goto(cordboard,${EXTEN},1)"))
    if premises.asterisk / MANAGER not in manager.files:
        results.append(_missing_include(premises, "manager.conf", MANAGER_INCLUDE, "manager reload"))
    return results


def _unread(reading: Reading) -> list[Result]:
    """Files that are there and cannot be read: what they include is not known."""
    closed = [path for path in reading.unreadable if path.exists()]
    return [warning(f"not looked at: {path} cannot be read", "run this as root, or as asterisk") for path in closed]


def _missing_include(premises: Premises, name: str, line: str, command: str) -> Result:
    path = premises.asterisk / name
    end = "the end of it" if name == "manager.conf" else "it, once"
    return fault(f"{path} does not include our file", f"add to {end}: {line}   then: asterisk -rx '{command}'")


def sends_calls(premises: Premises, extensions: Reading) -> bool:
    """Whether any line that is not ours leads into our context."""
    ours = premises.asterisk / DIALPLAN
    return any(path != ours and _ENTRY.search(line) for path, line in extensions.lines)


async def _loaded(premises: Premises) -> list[Result]:
    """Whether the running Asterisk has our contexts; nothing if it cannot be asked, which `manager` tells."""
    try:
        manager = await premises.manager()
        is_loaded, is_ours_now = await manager.value(_LOADED), await manager.value(_IS_OURS_NOW)
    except (NoLogin, NotLookedAt, SwitchError, TimeoutError):
        return [note("the files are right; whether Asterisk has loaded them is not known without a manager log-in")]
    reload = "asterisk -rx 'dialplan reload'"
    if is_loaded == "0":
        return [fault("the running Asterisk has not read our dialplan", reload)]
    if is_ours_now == "0":
        return [fault("the running Asterisk has our dialplan of an earlier release", reload)]
    return []


CHECK = Check("dialplan", look, "a directory does not answer; is it on a network disk?", switch="asterisk")
