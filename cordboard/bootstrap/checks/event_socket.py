"""Check `esl`: logs in to FreeSWITCH's Event Socket as the service does, and asks what is loaded and how it is set.

Every way in which that can go wrong has its own line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cordboard.bootstrap.checks.event_socket_session import EventSocketSession, NoEventSocket
from cordboard.bootstrap.checks.hosts import shown_host
from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, fault, ok, warning

OLDEST = (1, 10)
# What the dialplan and the service ask of FreeSWITCH; without one of them calls fail.
MODULES = (
    "mod_sofia",
    "mod_dptools",
    "mod_commands",
    "mod_dialplan_xml",
    "mod_event_socket",
    "mod_sndfile",
    "mod_tone_stream",
)
_SEVERAL = ("ring_all", "compat:ringall")
_VERSION = re.compile(r"FreeSWITCH Version (\d+)\.(\d+)\S*")


async def look(premises: Premises) -> Sequence[Result]:
    """Whether the log-in succeeds, and what this FreeSWITCH lacks."""
    socket = premises.settings.freeswitch.event_socket
    place = f"{shown_host(socket.host)}:{socket.port}"
    try:
        session = await premises.event_socket()
        version = await session.api("version")
        wrong = [
            *_old(version),
            *await missing_modules(premises, session),
            *await _api_expansion(premises, session),
        ]
    except NoEventSocket as failure:
        return [_explain(premises, place, failure)]
    return wrong or [ok(f"FreeSWITCH {_number(version)} at {place} lets us in, with every module that is needed")]


async def missing_modules(premises: Premises, session: EventSocketSession) -> list[Result]:
    """Modules that are not loaded, one result for each. Raises NoEventSocket."""
    languages = {flow_language(tag) for tag in premises.spoken_languages()}
    wanted = [
        *MODULES,
        *_of_queues(premises),
        *_of_boxes(premises),
        *(f"mod_say_{language}" for language in sorted(languages)),
    ]
    missing = [name for name in wanted if await session.api(f"module_exists {name}") != "true"]
    return [
        fault(
            f"FreeSWITCH has not loaded {name}: {_without(name)}",
            f"fs_cli -x 'load {name}', and <load module=\"{name}\"/> in autoload_configs/modules.conf.xml",
        )
        for name in missing
    ]


def _of_queues(premises: Premises) -> list[str]:
    """What music, ringing several agents at once, and callbacks to the agent first are done with."""
    queues = [] if premises.known_plan is None else list(premises.known_plan.queues.values())
    needed = {
        "mod_local_stream": bool(queues),
        "mod_hash": any(queue.strategy in _SEVERAL for queue in queues),
        "mod_loopback": any(queue.callback and queue.callback.dial == "agent_first" for queue in queues),
    }
    return [module for module, is_needed in needed.items() if is_needed]


def _of_boxes(premises: Premises) -> list[str]:
    """What takes the messages of boxes that are FreeSWITCH's own."""
    return ["mod_voicemail"] if any(box.mailbox for box in premises.settings.voicemail.values()) else []


def flow_language(tag: str) -> str:
    """The language whose sounds FreeSWITCH says values with: "es" for "es-mx"."""
    return tag.partition("-")[0]


def _without(module: str) -> str:
    if module == "mod_local_stream":
        return "callers would wait in silence"
    language = module.removeprefix("mod_say_")
    return "calls would fail" if language == module else f"values would not be spoken in `{language}`"


async def _api_expansion(premises: Premises, session: EventSocketSession) -> list[Result]:
    answer = await session.api("fsctl api_expansion")
    if "is off" in answer:
        return []
    seen = "FreeSWITCH carries out API calls in ${...}, and a caller's name can hold one"
    return [warning(seen, f"{premises.install_freeswitch_command()}; then: fs_cli -x 'fsctl api_expansion off'")]


def _old(version: str) -> list[Result]:
    found = _VERSION.match(version)
    if found is None or (int(found[1]), int(found[2])) >= OLDEST:
        return []
    return [warning(f"FreeSWITCH {_number(version)} is older than all that we tried", "upgrade to 1.10 or newer")]


def _number(version: str) -> str:
    found = _VERSION.match(version)
    return f"{found[1]}.{found[2]}" if found else "of an unknown version"


def _explain(premises: Premises, place: str, failure: NoEventSocket) -> Result:
    match failure.cause:
        case "nobody":
            seen = f"nobody listens at {place}: is FreeSWITCH running, with mod_event_socket?"
            return fault(seen, "systemctl start freeswitch; or correct `freeswitch: {event_socket: ...}`")
        case "refused":
            fix = f"{premises.install_freeswitch_command()} && fs_cli -p OLD_PASSWORD -x 'reload mod_event_socket'"
            return fault(f"FreeSWITCH at {place} refuses our password", fix)
        case "not_allowed":
            fix = "let this machine in by `apply-inbound-acl` in autoload_configs/event_socket.conf.xml"
            return fault(f"FreeSWITCH's access list at {place} keeps us out", fix)
        case "unreachable":
            seen = f"FreeSWITCH's Event Socket at {place} cannot be reached: {failure}"
            return fault(seen, "correct `freeswitch: {event_socket: {host: ...}}` in cordboard.yaml")
        case "stranger":
            return fault(
                f"{place}: {failure}", "correct `freeswitch: {event_socket: {port: ...}}` in cordboard.yaml"
            )
    return fault(f"{place}: {failure}", "systemctl restart freeswitch")


CHECK = Check(
    "esl", look, "FreeSWITCH does not answer: fs_cli -x status; systemctl restart freeswitch", switch="freeswitch"
)
