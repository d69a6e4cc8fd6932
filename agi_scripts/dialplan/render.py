"""The files an admin adds to Asterisk, as text: pure. Called by the command that installs them and by the lab.

The texts are the templates beside this file, with `@NAME@` filled in. Every value is checked, because a comma or a
bracket in one would change what the dialplan does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from agi_scripts import variables
from agi_scripts.phone import ACCEPT_S

VERSION = 4  # of what the service asks of the dialplan; a higher one says that it must be installed anew
RESUMES = 10  # how often one place of a flow is begun anew before the call counts as stuck
ACCEPT_MAX_S = 120  # beyond the ringing, for the whisper and the accept key
SCREEN_S = 8  # for the key, after what is said before it
STAND_IN_S = 3600  # a leg without a customer waits no longer for an agent; it is made again then
DRAIN_S = 25.0
DIALPLAN_INCLUDE = '#include "cordboard.conf"'
MANAGER_INCLUDE = '#include "manager.d/cordboard.conf"'
STOP_MARGIN_S = 30  # on top of the drain: longer than the service itself waits for a worker before it kills it
DEFAULT_TOKEN = "cordboard"  # noqa: S105 (a mark, no secret, unless an admin chooses one)

# In the order of `arrivals.arrival_of`.
_ARGUMENTS = (
    "${CORDBOARD_CALL}",
    "${CORDBOARD_CP}",
    "${CORDBOARD_DNIS}",
    "${FILTER(+*#0-9A-Za-z,${CALLERID(num)}):0:64}",
    "${CORDBOARD_RETURNED}",
    "${CORDBOARD_BEGAN}",
)
_LAST_ARGUMENT = "${URIENCODE(${CALLERID(name):0:80})}"  # leaves "(" as it is, which swallows what stands behind it
_NOW_MS = "${STRFTIME(,,%s%3q)}"
# In the order of `agent_results.agent_rung`, behind the offer and DIALSTATUS.
_AGENT_RESULT = "${SHARED(CORDBOARD_CAUSE)}.${SHARED(CORDBOARD_KEY)}.${SHARED(CORDBOARD_JOINED)}." + _NOW_MS
# The token comes last, and of each header the last one counts (`agent_legs`).
_OFFER_EVENT = "Offer: ${CORDBOARD_OFFER},Caller: ${CORDBOARD_CALLER},Token: "
_CALL_EVENT = "Call: ${CORDBOARD_CALL},Token: "
_AGENT_EVENT = "Leg: ${UNIQUEID}," + _OFFER_EVENT
# Who ended the agent's leg; a phone that has passed its call on hangs up as well.
_ENDED_BY = (
    '${IF($["${BLINDTRANSFER}" != ""]?blind_transfer:'
    '${IF($["${ATTENDEDTRANSFER}" != ""]?attended_transfer:'
    '${IF($["${CHANNEL(hangupsource)}" = "${CHANNEL(name)}"]?agent:'
    '${IF($["${CHANNEL(hangupsource)}" != ""]?caller)})})})}'
)
# What the legs that are rung have to know.
_LEG_VARIABLES = ",".join(
    f"__{name}=${{{name}}}"
    for name in (
        variables.SCREEN,
        variables.SCREENED,
        variables.SCREENED_BY,
        variables.CALLER_ID,
        variables.CALLER_ID_OF,
    )
)
_PRINTABLE = r"\x20-\xff"

_WORKER = re.compile(r"[A-Za-z0-9.-]{1,200}:[0-9]{1,5}")
_DESTINATION = re.compile(r"[A-Za-z0-9_.-]{1,80},[A-Za-z0-9_.*#+-]{1,80},[A-Za-z0-9_-]{1,40}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SECRET = re.compile(r"[!-:<-~]{1,128}")  # printable, no blank, and no ";", which begins a comment
_PERMIT = re.compile(r"[0-9A-Fa-f.:/]{1,80}")
_PATH = re.compile(r"/[A-Za-z0-9_./-]{0,300}")


def render_dialplan(
    workers: Sequence[str],
    safe_destination: str,
    patience_s: float = 3.0,
    token: str = DEFAULT_TOKEN,
) -> str:
    """`cordboard.conf`, to be included by extensions.conf.

    workers: "host:port" of each. safe_destination: "context,extension,priority", where a call goes that no worker
    takes. patience_s: how long all workers together may fail a caller. token: what `AgiServer` and `AsteriskSwitch`
    were given.
    Raises ValueError on a value that does not fit.
    """
    if not workers:
        raise ValueError("no worker addresses")
    for worker in workers:
        _fit(_WORKER, worker, "worker address (host:port)")
    if not 0 < patience_s <= 3600:
        raise ValueError(f"patience of {patience_s} s; it must lie between 0 and 3600")
    values = {
        "WORKERS": "&".join(workers),
        "COUNT": str(len(workers)),
        "LAST": str(len(workers) - 1),
        "SAFE": _fit(_DESTINATION, safe_destination, "safe destination (context,extension,priority)"),
        "PATIENCE_S": f"{patience_s:g}",
        "ACCEPT_S": f"{ACCEPT_S:g}",
        "RESUMES": str(RESUMES),
        "VERSION": str(VERSION),
        "SCREEN_S": str(SCREEN_S),
        "LEG_VARIABLES": _LEG_VARIABLES,
        "PRINTABLE": _PRINTABLE,
        "NOW_MS": _NOW_MS,
        "AGENT_RESULT": _AGENT_RESULT,
        "ENDED_BY": _ENDED_BY,
        "ACCEPT_MAX_S": str(ACCEPT_MAX_S),
        "OFFER_EVENT": _OFFER_EVENT + _fit(_TOKEN, token, "token"),
        "CALL_EVENT": _CALL_EVENT + _fit(_TOKEN, token, "token"),
        "TOKEN_EVENT": "Token: " + _fit(_TOKEN, token, "token"),
        "STAND_IN_S": str(STAND_IN_S),
        "AGENT_EVENT": _AGENT_EVENT + _fit(_TOKEN, token, "token"),
        "ARGUMENTS": ",".join((*_ARGUMENTS, _fit(_TOKEN, token, "token"), _LAST_ARGUMENT)),
    }
    return _fill("cordboard.conf", values)


def render_manager_user(username: str, secret: str, permit: str = "127.0.0.1/255.255.255.255") -> str:
    """The manager user, to be included by manager.conf. Raises ValueError on a value that does not fit."""
    values = {
        "USERNAME": _fit(_NAME, username, "manager user name"),
        "SECRET": _fit(_SECRET, secret, "manager secret", shown=False),
        "PERMIT": _fit(_PERMIT, permit, "permitted network"),
    }
    return _fill("manager.conf", values)


def render_systemd_unit(
    command: str,
    config_dir: str,
    user: str = "asterisk",
    *,
    state_dir: str | None = None,
    drain_s: float = DRAIN_S,
) -> str:
    """The systemd unit.

    command, config_dir, state_dir: absolute paths; the service writes into state_dir, by default `state` in the
    configuration. drain_s: how long the service lets calls go on when it is stopped.
    Raises ValueError on a value that does not fit.
    """
    values = {
        "COMMAND": _fit(_PATH, command, "path of the command"),
        "CONFIG": _fit(_PATH, config_dir, "path of the configuration"),
        "STATE": _fit(_PATH, state_dir or f"{config_dir}/state", "path of the state folder"),
        "USER": _fit(_NAME, user, "user name"),
        "STOP_S": str(math.ceil(drain_s) + STOP_MARGIN_S),
    }
    return _fill("cordboard.service", values)


def _fit(pattern: re.Pattern[str], value: str, what: str, *, shown: bool = True) -> str:
    if pattern.fullmatch(value) is None:
        raise ValueError(f"not a {what}: {value!r}" if shown else f"not a {what}")
    return value


def _fill(template: str, values: Mapping[str, str]) -> str:
    text = (files(__package__) / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], text)
