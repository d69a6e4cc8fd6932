"""Check `listeners`: what other machines can reach, and must not or should not without protection.

FastAGI has no log-in and no encryption, metrics are for the admin, and agents' passwords and customers' data cross
the desk's connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from cordboard.bootstrap.checks.hosts import is_loopback
from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, fault, note, ok, warning
from cordboard.telephony.capabilities import SwitchName

_NAMES = {"asterisk": "agi and the manager link", "freeswitch": "esl and the Event Socket"}


async def look(premises: Premises) -> Sequence[Result]:
    """One result for each listener, and the manager link, that leaves this machine."""
    listen = premises.settings.listen
    found = [
        (listen.http.host, warning(*_http(listen.http.host))),
        (listen.desk.host, _desk(listen.desk.host, listen.desk.https)),
        *(one for switch in premises.settings.switches for one in _of_switch(premises, switch)),
    ]
    results = [await _unless_loopback(host, result) for host, result in found]
    good = ok(f"{', '.join(map(_NAMES.__getitem__, premises.settings.switches))}, http and desk stay on loopback")
    return [result for result in results if result] or [good]


def _of_switch(premises: Premises, switch: SwitchName) -> list[tuple[str, Result]]:
    """What a switch connects to, and what we connect to there."""
    settings = premises.settings
    if switch == "asterisk":
        agi, ami = settings.listen.agi.host, settings.asterisk.ami.host
        return [(agi, warning(*_for_calls("agi", agi))), (ami, warning(*_manager(ami)))]
    esl, socket = settings.listen.esl.host, settings.freeswitch.event_socket.host
    return [(esl, warning(*_for_calls("esl", esl))), (socket, fault(*_event_socket(socket)))]


async def _unless_loopback(host: str, result: Result) -> Result | None:
    try:
        return None if await is_loopback(host) else result
    except OSError as unknown:
        return fault(f"the host `{host}` cannot be resolved: {unknown.strerror}", "write its address, or 127.0.0.1")


def _for_calls(part: str, host: str) -> tuple[str, str]:
    seen = f"{part} listens on {host}: who reaches it sees calls in plain text, and only a token keeps others out"
    return seen, f"write `listen: {{{part}: {{host: 127.0.0.1}}}}` in cordboard.yaml; between machines use a tunnel"


def _event_socket(host: str) -> tuple[str, str]:
    seen = f"FreeSWITCH's Event Socket is asked at {host}: its password crosses the network, and opens everything"
    tunnel = f"lead a tunnel there: ssh -NL 8021:127.0.0.1:8021 {host}"
    return seen, "write `freeswitch: {event_socket: {host: 127.0.0.1}}` and " + tunnel


def _http(host: str) -> tuple[str, str]:
    seen = f"http listens on {host}: anybody who reaches it can read the metrics"
    return seen, "write `listen: {http: {host: 127.0.0.1}}` in cordboard.yaml, or close the port in the firewall"


def _desk(host: str, https: bool) -> Result:
    if https:
        seen = f"the desk listens on {host}, beside its https proxy: who goes there directly has no encryption"
        return note(seen, "write `listen: {desk: {host: 127.0.0.1, https: true}}` if the proxy is on this machine")
    seen = f"the desk listens on {host} without https: passwords and customers' data can be read on the way"
    fix = (
        "write `listen: {desk: {host: 127.0.0.1, https: true}}` in cordboard.yaml, and put an https proxy before it"
    )
    return fault(seen, fix)


def _manager(host: str) -> tuple[str, str]:
    seen = f"Asterisk's manager is asked at {host}: its traffic crosses the network in plain text"
    return (
        seen,
        "write `asterisk: {ami: {host: 127.0.0.1}}` and lead a tunnel there: ssh -NL 5038:127.0.0.1:5038 " + host,
    )


CHECK = Check("listeners", look, "a host cannot be resolved: write its address instead of its name")
