"""Whether somebody may log in: attempts are counted first, then the password is checked.

A wrong name and a wrong password get the same answer after the same time. Called by the log-in route.
"""

from __future__ import annotations

import ipaddress

import structlog

from cordboard.desk.ports import Accounts
from cordboard.desk.problems import Problem
from cordboard.service.attempts import Attempts
from cordboard.service.passwords import PasswordCheck, TooBusy

WINDOW_S = 300.0
WRONG_OF_ONE_AGENT = 10  # then one more every 30 s: a forgotten password is found, a guessed one is not
WRONG_FROM_ONE_ADDRESS = 30  # an office behind one address has more people and more mistakes

log = structlog.get_logger()


class LoggingIn:
    """Checks agents' passwords, and how often it is tried."""

    def __init__(self, accounts: Accounts, passwords: PasswordCheck) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._of_agent = Attempts(WRONG_OF_ONE_AGENT, WINDOW_S)
        self._from_address = Attempts(WRONG_FROM_ONE_ADDRESS, WINDOW_S)

    async def check(self, agent: str, password: str, address: str, *, is_known: bool) -> None:
        """Return if the agent may come in. Raises Problem, StoreUnavailable.

        is_known: whether the configuration has this agent now; one taken out keeps a password in the store.
        """
        network = _network(address)
        self._admit(agent, network)
        password_hash = await self._accounts.password_hash(agent)
        if not await self._is_right(password_hash if is_known else None, password):
            log.warning("login_refused", address=address)
            raise Problem(401, "wrong-credentials", "The name or the password is wrong.")
        self._of_agent.forgive(agent)
        self._from_address.forgive(network)

    def _admit(self, agent: str, network: str) -> None:
        wait_s = max(self._of_agent.wait_s(agent), self._from_address.wait_s(network))
        if wait_s:
            raise Problem(
                429,
                "too-many-attempts",
                f"Too many attempts. Please try again in {wait_s} seconds.",
                {"Retry-After": str(wait_s)},
            )
        self._of_agent.count(agent)
        self._from_address.count(network)

    async def _is_right(self, password_hash: str | None, password: str) -> bool:
        try:
            return await self._passwords.is_right(password_hash, password)
        except TooBusy as busy:
            words = "Many people are logging in just now. Please try again in a few seconds."
            raise Problem(503, "busy", words, {"Retry-After": "2"}) from busy


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the first 64 bits, as one subscriber has that many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
