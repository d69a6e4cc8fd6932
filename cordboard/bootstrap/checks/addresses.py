"""The ports Cordboard listens on, as configured: of which part, where, and who answers for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cordboard.bootstrap.checks.hosts import shown_host
from cordboard.bootstrap.checks.premises import Premises
from cordboard.settings import Listener

Part = Literal["agi", "esl", "http", "desk"]


@dataclass(frozen=True, slots=True)
class Address:
    """One port of ours. health: the port on which the process that has this one answers `/healthz`."""

    part: Part
    host: str
    port: int
    health: int

    def __str__(self) -> str:
        return f"{shown_host(self.host)}:{self.port}"


def addresses(premises: Premises) -> list[Address]:
    """Every port of the service; the desk's only if there are agents. Raises NotLookedAt."""
    listen, workers = premises.settings.listen, range(premises.settings.workers)
    http, desk = listen.http, listen.desk
    found = [
        Address(part, of_calls.host, of_calls.port + index, http.port + index)
        for part, of_calls in _for_calls(premises)
        for index in workers
    ]
    found += [Address("http", http.host, http.port + index, http.port + index) for index in workers]
    if premises.known_plan is None or premises.known_plan.agents:
        found.append(Address("desk", desk.host, desk.port, desk.port))
    return found


def _for_calls(premises: Premises) -> list[tuple[Part, Listener]]:
    """What the switches that calls come in on connect to."""
    listen = premises.settings.listen
    known: dict[str, tuple[Part, Listener]] = {"asterisk": ("agi", listen.agi), "freeswitch": ("esl", listen.esl)}
    return [known[switch] for switch in premises.settings.switches]
