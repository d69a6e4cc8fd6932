"""The files an admin adds to FreeSWITCH, as text: pure. Called by the command that installs them and by the lab.

The texts are the templates beside this file, with `@NAME@` filled in. Every value is checked, because a quote, a
blank or a `|` in one would change what the dialplan does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import ascii_lowercase, ascii_uppercase, digits

from esl_apps import variables
from esl_apps.handing_over import RINGBACK, SCREEN_S

VERSION = 2  # of what the service asks of the dialplan; a higher one says that it must be installed anew
RESUMES = 10  # how often one place of a flow is begun anew before the call counts as stuck
PAUSE_MS = 100  # between two rounds over the workers
STAND_IN_S = 3600  # a leg in a customer's stead waits in the queue no longer
DEFAULT_TOKEN = "cordboard"  # noqa: S105 (a mark, no secret, unless an admin chooses one)

DIALPLAN, EVENT_SOCKET, CORE = (
    "dialplan/cordboard.xml",
    "autoload_configs/event_socket.conf.xml",
    "autoload_configs/post_load_switch.conf.xml",
)

# What the last visit of a call may have left on the channel, besides what `enter` writes.
_OF_A_VISIT = (
    "cordboard_originated",
    variables.CHECKPOINT,
    variables.NEXT,
    variables.DONE,
    variables.RETURNED,
    variables.HELD,
    variables.OFFERS,
    variables.WON,
    "cordboard_resume",
    "cordboard_seen",
    "cordboard_stuck",
)
# What goes when a call is given away: nobody is to take it for ours any more, or to be told of its end.
_OURS = (
    *_OF_A_VISIT,
    variables.CALL,
    variables.TOKEN,
    variables.TRIES,
    variables.RESUME,
    "api_hangup_hook",
    "transfer_after_bridge",
    "park_after_bridge",
    "force_transfer_context",
    "cordboard_context",
)

# What sounds like an answering machine. In frames of 20 ms, as FreeSWITCH counts; with these numbers a person who
# says "Hello?" is waited for about a second longer.
_MACHINES = {
    "LOUD": "150",  # of 32,767, the mean of what is sound
    "SOUND_FRAMES": "4",  # a click is no word
    "SILENCE_FRAMES": "30",  # of quiet, and FreeSWITCH adds 25
    "SILENCE_MS": "1100",
    "LISTEN_MS": "5500",
    "GREETING_S": "1.5",
    "GREETING_FRAMES": "(7[5-9]|[89][0-9]|[0-9]{3,})",
}

_WORKER = re.compile(r"[A-Za-z0-9.-]{1,200}:[0-9]{1,5}")
_DESTINATION = re.compile(r"([A-Za-z0-9_.-]{1,80}),([A-Za-z0-9_.*#+-]{1,80})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_HOST = re.compile(r"[0-9A-Fa-f.:]{2,45}")
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase, digits)
_SECRET = re.compile(r"[A-Za-z0-9_.~+/=-]{1,128}")  # nothing that XML or FreeSWITCH's preprocessor would read


def render_dialplan(
    workers: Sequence[str], safe_destination: str, patience_s: float = 3.0, token: str = DEFAULT_TOKEN
) -> str:
    """`dialplan/cordboard.xml`, which FreeSWITCH's own freeswitch.xml includes.

    workers: "host:port" of each. safe_destination: "context,extension", where a call goes that no worker takes.
    patience_s: how long all workers together may fail a caller. token: what the edge was given.
    Raises ValueError on a value that does not fit.
    """
    if not workers:
        raise ValueError("no worker addresses")
    for worker in workers:
        _fit(_WORKER, worker, "worker address (host:port)")
    if not 0 < patience_s <= 3600:
        raise ValueError(f"patience of {patience_s} s; it must lie between 0 and 3600")
    strokes = math.ceil(patience_s * 1000 / PAUSE_MS)
    values = {
        "SAFE": _DESTINATION.sub(
            r"\2 XML \1", _fit(_DESTINATION, safe_destination, "safe destination (context,extension)")
        ),
        "VERSION": str(VERSION),
        "TOKEN": _fit(_TOKEN, token, "token"),
        "ACCEPT_S": str(variables.ACCEPT_S),
        "RESUMES": str(RESUMES),
        "STUCK_STROKES": str(RESUMES),
        "PATIENCE_STROKES": str(strokes),
        "LATE_STROKES": "1" * math.ceil(strokes / len(workers)),
        "PAUSE_MS": str(PAUSE_MS),
        "STAND_IN_MS": str(STAND_IN_S * 1000),
        "SCREEN_MS": str(SCREEN_S * 1000),
        "RINGBACK": RINGBACK,
        **_MACHINES,
        "OF_A_VISIT": _named(_OF_A_VISIT),
        "OURS": _named(_OURS),
        "FIRST_TURNS": _first_turns(len(workers)),
        "LOOP": _loop(workers),
    }
    return _fill("cordboard.xml", values)


def render_event_socket(secret: str, host: str = "127.0.0.1", port: int = 8021) -> str:
    """`autoload_configs/event_socket.conf.xml`: on one address, for callers from loopback alone, with our secret.

    Raises ValueError on a value that does not fit.
    """
    if not 1 <= port <= 65_535:
        raise ValueError(f"not a port: {port}")
    values = {
        "HOST": _fit(_HOST, host, "listening address"),
        "PORT": str(port),
        "SECRET": _fit(_SECRET, secret, "secret of the event socket", shown=False),
    }
    return _fill("event_socket.conf.xml", values)


def render_core_settings() -> str:
    """`autoload_configs/post_load_switch.conf.xml`: no API call in what a caller chose."""
    return _fill("post_load_switch.conf.xml", {})


def _first_turns(count: int) -> str:
    """Which worker is first: chosen by the last character of the call's own id, for there is no other chance. That
    of a call which we have made ends in one of ours.
    """
    letters = digits + ascii_lowercase  # hexadecimal first: with them each worker has the same share
    starts = [letters[first::count] for first in range(min(count, len(letters)))]
    return "\n".join(
        f'      <condition field="${{uuid}}" expression="[{ends}{ends.translate(_UPPER)}]$" break="never">\n'
        f'        <action application="set" data="cordboard_turn={first}"/>\n'
        f"      </condition>"
        for first, ends in enumerate(starts)
    )


def _loop(workers: Sequence[str]) -> str:
    """One extension for each order of the workers; they take turns in being first."""
    count = len(workers)
    template = (files(__package__) / "attempt.xml").read_text(encoding="utf-8")
    attempts = [
        {
            "TURN": str(turn),
            "NEXT_TURN": str((turn + 1) % count),
            "ORDER": "|".join([*workers[turn:], *workers[:turn]]),
        }
        for turn in range(count)
    ]
    accept = {"ACCEPT_S": str(variables.ACCEPT_S)}
    return "".join(_filled(template, attempt | accept) for attempt in attempts).rstrip("\n")


def _named(names: Sequence[str]) -> str:
    return "^^:" + ":".join(names)


def _fit(pattern: re.Pattern[str], value: str, what: str, *, shown: bool = True) -> str:
    if pattern.fullmatch(value) is None:
        raise ValueError(f"not a {what}: {value!r}" if shown else f"not a {what}")
    return value


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _filled((files(__package__) / template).read_text(encoding="utf-8"), values)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda found: values[found[1]], text)
