"""Check `listeners`: what other machines can reach, and must not or should not without protection.

FastAGI has no log-in and no encryption, metrics are for the admin, and agents' passwords and customers' data cross
the desk's connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from cordboard.bootstrap.checks.hosts import is_loopback
from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, fault, note, ok, warning


async def look(premises: Premises) -> Sequence[Result]:
    """One result for each listener, and the manager link, that leaves this machine."""
    listen, ami = premises.settings.listen, premises.settings.asterisk.ami
    results = [
        await _unless_loopback(listen.agi.host, warning(*_agi(listen.agi.host))),
        await _unless_loopback(listen.http.host, warning(*_http(listen.http.host))),
        await _unless_loopback(listen.desk.host, _desk(listen.desk.host, listen.desk.https)),
        await _unless_loopback(ami.host, warning(*_manager(ami.host))),
    ]
    return [result for result in results if result] or [ok("agi, http, desk and the manager link stay on loopback")]


async def _unless_loopback(host: str, result: Result) -> Result | None:
    try:
        return None if await is_loopback(host) else result
    except OSError as unknown:
        return fault(f"the host `{host}` cannot be resolved: {unknown.strerror}", "write its address, or 127.0.0.1")


def _agi(host: str) -> tuple[str, str]:
    seen = f"agi listens on {host}: who reaches it sees calls in plain text, and only a token keeps others out"
    return seen, "write `listen: {agi: {host: 127.0.0.1}}` in cordboard.yaml; between machines use a tunnel"


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
