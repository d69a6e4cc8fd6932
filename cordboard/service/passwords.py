"""Passwords as argon2 hashes: made and checked in threads of their own, a few at a time.

One check takes tens of milliseconds and 64 MB of memory on purpose; the event loop must not pay the first, nor the
machine the second many times over. A name without a password costs the same time as a wrong password.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2  # each takes 64 MB and a core
WAITING_MAX = 16  # about one second of work; who comes then is told to come again
LONGEST = 256  # characters of a password

_hasher = PasswordHasher()


class TooBusy(Exception):
    """More log-ins at once than can be checked in a second."""


def hash_password(password: str) -> str:
    """What the store keeps of a password. Blocks for some 50 ms."""
    return _hasher.hash(password)


class PasswordCheck:
    """Checks passwords off the event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._nobodys_hash = _nobodys_hash()
        self._under_way = 0

    async def is_right(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; never so without a hash, after the same time. Raises TooBusy."""
        if self._under_way >= WAITING_MAX:
            raise TooBusy
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, _matches, password_hash or self._nobodys_hash, password
            )
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)


@functools.cache
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe())


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
