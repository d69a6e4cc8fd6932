"""PINs of agents for the telephone: which will do, new ones, and how one gets into the store. Called by the CLI."""

from __future__ import annotations

import secrets
from itertools import pairwise

from sqlalchemy import Connection

from cordboard.bootstrap.agent_passwords import write_account
from cordboard.service.passwords import hash_password
from cordboard.store.address import Address
from cordboard.store.agent_pins import remove_pin, set_pin_hash

DIGITS = 6  # a million; the agents' line slows down guessing
LONGEST_PIN = 12


def weakness_of_pin(chosen: str, code: str) -> str:
    """Why a PIN will not do, as the rest of a sentence; "" if it will. code: the agent's."""
    if not (chosen.isascii() and chosen.isdigit()):
        return "has something else than digits"
    if not DIGITS <= len(chosen) <= LONGEST_PIN:
        return f"has {len(chosen)} digits; {DIGITS} to {LONGEST_PIN} are needed"
    if len({(int(after) - int(before)) % 10 for before, after in pairwise(chosen)}) == 1:
        return "is a row that everybody tries first"
    return "holds the code" if code and code in chosen else ""


def generated_pin() -> str:
    """A PIN that will do."""
    while True:
        chosen = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        if not weakness_of_pin(chosen, ""):
            return chosen


def keep_pin(database: Address, agent: str, chosen: str) -> None:
    """Write the PIN's hash into the store, which is made if need be. Raises StoreUnavailable, StoreError."""
    pin_hash = hash_password(chosen)
    write_account(database, lambda connection: set_pin_hash(connection, agent, pin_hash))


def forget_pin(database: Address, agent: str) -> None:
    """Have the agent known by no PIN. Raises StoreUnavailable, StoreError."""

    def write(connection: Connection) -> None:
        remove_pin(connection, agent)

    write_account(database, write)
