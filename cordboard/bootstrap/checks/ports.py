"""Check `ports`: each port of ours is free, or held by our own running service.

A worker answers `/healthz` only once it has its AGI port too, so that answer vouches for both; the desk answers it
for itself. Whether the service that answers is this one or another Cordboard is told by what its process was
started with, where we may see that.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx2

from cordboard.bootstrap.checks.addresses import Address, addresses
from cordboard.bootstrap.checks.hosts import reachable_host, resolve, shown_host
from cordboard.bootstrap.checks.port_holders import Program, holder
from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, fault, ok

ANSWER_S = 2.0


async def look(premises: Premises) -> Sequence[Result]:
    """What is wrong with each port; or how many are free, and how many ours already."""
    ours = addresses(premises)
    twice = shared(ours)
    if twice:
        return twice
    states = await asyncio.gather(*(state_of(premises, address) for address in ours))
    wrong = [state for state in states if isinstance(state, Result)]
    return wrong or [_all_well(ours, states.count("running"))]


def shared(ours: Sequence[Address]) -> list[Result]:
    """Ports that two parts of the service would both want."""
    wanted = Counter(address.port for address in ours)
    return [
        fault(
            f"port {port} is wanted by {' and '.join(address.part for address in ours if address.port == port)}",
            "each worker takes a port of its own, counted up: write ports further apart under `listen:`",
        )
        for port, count in wanted.items()
        if count > 1
    ]


async def state_of(premises: Premises, address: Address) -> Result | str:
    """`free`, `running` (held by this service), or what is wrong."""
    refusal = await _try_to_listen(address)
    if refusal is None:
        return "free"
    if refusal.errno != errno.EADDRINUSE:
        return _cannot_listen(address, refusal)
    program = await asyncio.to_thread(holder, address.port)
    if not await _is_cordboard(address):
        return _held_by_stranger(address, program)
    if program and program.configuration and program.configuration.absolute() != premises.directory:
        return _held_by_another(address, program)
    return "running"


async def _try_to_listen(address: Address) -> OSError | None:
    """Why the port cannot be listened on, None if it can."""
    try:
        for family, place in await resolve(address.host, address.port):
            _bind_once(family, place)
    except OSError as refusal:
        return refusal
    return None


def _bind_once(family: socket.AddressFamily, place: Any) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the service does
        listener.bind(place)


async def _is_cordboard(address: Address) -> bool:
    """Whether a process of Cordboard vouches for the port."""
    place = f"http://{shown_host(reachable_host(address.host))}:{address.health}/healthz"
    try:
        async with httpx2.AsyncClient(timeout=ANSWER_S, trust_env=False) as client:
            return bool((await client.get(place)).json() == {"alive": True})
    except (httpx2.HTTPError, ValueError):
        return False


def _held_by_stranger(address: Address, program: Program | None) -> Result:
    who = str(program) if program else "another program"
    end = f"end it (kill {program.service.pid})" if program else f"find it: ss -ltnp 'sport = :{address.port}'"
    return fault(f"{address}, wanted for {address.part}, is held by {who}", f"{end}, or {_another_port(address)}")


def _held_by_another(address: Address, program: Program) -> Result:
    seen = f"{address}, wanted for {address.part}, is held by the Cordboard of {program.configuration}"
    return fault(seen, f"end it (kill {program.service.pid}), or {_another_port(address)}")


def _cannot_listen(address: Address, refusal: OSError) -> Result:
    seen = f"{address}, wanted for {address.part}, cannot be listened on: {refusal.strerror or refusal}"
    if refusal.errno in (errno.EACCES, errno.EPERM):
        return fault(seen, _another_port(address, "a port above 1023"))
    fix = (
        f"write `listen: {{{address.part}: {{host: 127.0.0.1}}}}` in cordboard.yaml, or an address of this machine"
    )
    return fault(seen, fix)


def _another_port(address: Address, wanted: str = "another port") -> str:
    return f"write `listen: {{{address.part}: {{port: ...}}}}` with {wanted} in cordboard.yaml"


def _all_well(ours: Sequence[Address], running: int) -> Result:
    spans = ", ".join(_span(part, [address for address in ours if address.part == part]) for part in _parts(ours))
    if not running:
        return ok(f"free: {spans}")
    return ok(f"our service runs on {spans}" if running == len(ours) else f"free, or our service's: {spans}")


def _parts(ours: Sequence[Address]) -> list[str]:
    return list(dict.fromkeys(address.part for address in ours))


def _span(part: str, of_part: Sequence[Address]) -> str:
    last = f"-{of_part[-1].port}" if len(of_part) > 1 else ""
    return f"{part} {of_part[0]}{last}"


CHECK = Check("ports", look, "a host under `listen:` cannot be resolved: write its address instead of its name")
