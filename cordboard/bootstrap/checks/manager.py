"""Check `manager`: logs in to Asterisk as the service does, asks which actions this user may use, and looks up
which events it is told.

Every way in which that can go wrong has its own line, found by what Asterisk answers and what its files say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from cordboard.bootstrap.checks.asterisk_files import read_with_includes
from cordboard.bootstrap.checks.hosts import shown_host
from cordboard.bootstrap.checks.installed import compare
from cordboard.bootstrap.checks.manager_session import NoLogin
from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, fault, listed, ok
from cordboard.errors import SwitchError

# What the service asks of Asterisk, by the right (`write = ` of the manager user) or the module that lets it.
_BY_RIGHT = {
    "call": ("Status", "Hangup", "Redirect", "Getvar", "Setvar"),
    "originate": ("Originate",),
}  # fmt: skip
# What Asterisk tells the service (`read = `): it says to nobody who may hear what, so its files are asked.
_BY_CLASS = {
    "user": "what agents' phones do",
    "call": "who has hung up",
    "dtmf": "the keys of callers on hold",
}
_EVERY_CLASS = "all"
_BY_MODULE = {"res_manager_devicestate.so": ("DeviceStateList",)}


async def look(premises: Premises) -> Sequence[Result]:
    """Whether the log-in succeeds, and what its user may not do."""
    ami = premises.settings.asterisk.ami
    place = f"{shown_host(ami.host)}:{ami.port}"
    try:
        session = await premises.manager()
        allowed = await session.actions()
    except NoLogin as failure:
        return [await asyncio.to_thread(_explain, premises, place, failure)]
    except (SwitchError, TimeoutError):
        seen = f"Asterisk at {place} let `{ami.user}` in and then answered nothing"
        return [fault(seen, "asterisk -rx 'core show threads' tells what it waits for; systemctl restart asterisk")]
    unheard = await asyncio.to_thread(missing_classes, premises)
    wrong = [*missing_rights(premises, allowed), *unheard, *missing_modules(allowed)]
    return wrong or [ok(f"Asterisk at {place} lets `{ami.user}` in, with every right it needs")]


def missing_rights(premises: Premises, allowed: Collection[str]) -> list[Result]:
    """Actions that the manager user may not use, a result for each right that is missing."""
    user = premises.settings.asterisk.ami.user
    found = []
    for right, actions in _BY_RIGHT.items():
        missing = [action for action in actions if action.lower() not in allowed]
        if missing:
            seen = f"the manager user `{user}` may not {listed(missing, most=6)}: it lacks the right `{right}`"
            found.append(fault(seen, f"write = call,originate under [{user}]: {premises.install_command()}"))
    return found


def missing_classes(premises: Premises) -> list[Result]:
    """Events that the manager user is not told of, by Asterisk's files; nothing where they cannot be read here."""
    user = premises.settings.asterisk.ami.user
    written = read_with_includes(premises.asterisk, "manager.conf").section(user)
    classes = {one.strip().lower() for one in written.get("read", "").split(",")} if written else {_EVERY_CLASS}
    if _EVERY_CLASS in classes:
        return []
    return [
        fault(
            f"the manager user `{user}` is not told {what}: it lacks the class `{name}`",
            f"read = {','.join(_BY_CLASS)} under [{user}]: {premises.install_command()}",
        )
        for name, what in _BY_CLASS.items()
        if name not in classes
    ]


def missing_modules(allowed: Collection[str]) -> list[Result]:
    """Actions that a module brings, where it is not loaded. They need the right `call`, which is told of first."""
    if "status" not in allowed:
        return []
    return [
        fault(
            f"Asterisk has no action {listed(actions)}: agents who are busy elsewhere would be offered calls",
            f"asterisk -rx 'module load {module}', and `load = {module}` in modules.conf",
        )
        for module, actions in _BY_MODULE.items()
        if any(action.lower() not in allowed for action in actions)
    ]


def _explain(premises: Premises, place: str, failure: NoLogin) -> Result:
    match failure.cause:
        case "nobody":
            return _nobody(premises, place)
        case "refused":
            return _refused(premises, place, failure)
        case "unreachable":
            seen = f"Asterisk's manager at {place} cannot be reached: {failure}"
            return fault(seen, "correct `asterisk: {ami: {host: ...}}` in cordboard.yaml, or open the firewall")
        case "stranger":
            return fault(f"{place}: {failure}", "correct `asterisk: {ami: {port: ...}}` in cordboard.yaml")
    return fault(f"{place}: {failure}", "systemctl restart asterisk")


def _nobody(premises: Premises, place: str) -> Result:
    """Nobody listens: the manager is off, listens elsewhere, or Asterisk does not run."""
    seen = f"nobody listens at {place}"
    general = read_with_includes(premises.asterisk, "manager.conf").section("general")
    port = premises.settings.asterisk.ami.port
    if general is None:
        return fault(f"{seen}: is Asterisk running?", "systemctl start asterisk")
    if general.get("enabled", "no").lower() not in ("yes", "true", "y", "t", "1", "on"):
        fix = f"write `enabled = yes` under [general] of {premises.asterisk / 'manager.conf'}"
        return fault(f"{seen}: the manager is not switched on", f"{fix}, then: asterisk -rx 'manager reload'")
    if general.get("port", "5038") != str(port):
        fix = f"write `asterisk: {{ami: {{port: {general['port']}}}}}` in cordboard.yaml"
        return fault(f"{seen}: manager.conf says port {general['port']}", fix)
    return fault(f"{seen}, though manager.conf switches it on: Asterisk does not run", "systemctl start asterisk")


def _refused(premises: Premises, place: str, failure: NoLogin) -> Result:
    """Asterisk does not say whether it is the user, the secret or the address; its files may."""
    ami = premises.settings.asterisk.ami
    seen = f"Asterisk at {place} refuses `{ami.user}` ({failure})"
    user = read_with_includes(premises.asterisk, "manager.conf").section(ami.user)
    if user is None:
        why = "its files have no such user, or cannot be read here"
        return fault(f"{seen}: {why}", f"{premises.install_command()}; manager.conf must include manager.d/*.conf")
    if user.get("secret") != premises.ami_secret():
        return fault(f"{seen}: it was given another secret than ours", premises.install_command())
    if compare(premises).manager == "current":
        fix = "asterisk -rx 'manager reload'; from another machine: add a `permit =` for it"
        return fault(f"{seen}: its file is right, so it was not read anew, or `permit` keeps us out", fix)
    return fault(f"{seen}: its file has been changed", premises.install_command())


CHECK = Check(
    "manager",
    look,
    "Asterisk does not answer: asterisk -rx 'core show uptime'; systemctl restart asterisk",
    switch="asterisk",
)
