"""Who is logged in: tokens in cookies, of which the store knows the SHA-256 only.

Used by the routes. A stolen database opens no desk, and a token cannot be guessed. A session ends after twelve
hours whatever happens in it: longer than a shift, shorter than a day.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from time import time

from starlette.requests import Request
from starlette.responses import Response

from cordboard.desk.ports import Accounts
from cordboard.errors import StoreUnavailable
from cordboard.store.accounts import Session

SESSION_S = 12 * 3600
TOKEN_BYTES = 32
LONGEST_COOKIE = 64  # a token has 43 characters
LOOK_AGAIN_S = 30.0  # how soon an open page notices a password that was changed elsewhere


class Sessions:
    """Opens, finds and ends sessions. https: the cookie goes over https only, under a name browsers protect."""

    def __init__(self, accounts: Accounts, *, https: bool, clock: Callable[[], float] = time) -> None:
        self._accounts = accounts
        self._https = https
        self._clock = clock
        self._cookie = "__Host-cordboard" if https else "cordboard"

    async def open(self, agent: str, response: Response) -> None:
        """A new session for this agent, whose cookie is put on the response. Raises StoreUnavailable."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = Session(token_hash(token), agent, self._clock() + SESSION_S)
        await self._accounts.open_session(session)
        response.set_cookie(
            self._cookie, token, SESSION_S, path="/", httponly=True, samesite="strict", secure=self._https
        )

    async def of(self, request: Request) -> Session | None:
        """The session whose cookie the request carries; None if none holds. Raises StoreUnavailable."""
        token = request.cookies.get(self._cookie, "")
        if not 0 < len(token) <= LONGEST_COOKIE:
            return None
        session = await self._accounts.find_session(token_hash(token))
        return session if session is not None and self.holds(session) else None

    def holds(self, session: Session) -> bool:
        """Whether its time is not over."""
        return self._clock() < session.expires_at

    def holding(self, session: Session) -> Callable[[], Awaitable[bool]]:
        """For a page that stays open: whether its session still holds, there and in the store."""
        looked_at = self._clock()

        async def holds() -> bool:
            nonlocal looked_at
            if not self.holds(session):
                return False
            if self._clock() - looked_at < LOOK_AGAIN_S:
                return True
            looked_at = self._clock()
            return await self._is_kept(session)

        return holds

    async def _is_kept(self, session: Session) -> bool:
        try:
            return await self._accounts.find_session(session.token_hash) is not None
        except StoreUnavailable:
            return True  # nobody is logged out by a database that rests

    async def end(self, session: Session, response: Response) -> None:
        """End it here and in the browser. Raises StoreUnavailable."""
        await self._accounts.close_session(session.token_hash)
        response.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict", secure=self._https)


def token_hash(token: str) -> str:
    """What the store keeps of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
