"""Connects to a web service only at addresses that were looked at: resolve, check all, connect to that very one.

Used by `client` for the services that flows ask. A second answer to the same DNS question cannot move a connection,
as nobody asks a second time: the request is sent to the address, with the name in `Host` and in TLS.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

import httpx2

from cordboard.http_client.addresses import refusal

FRESH_S = 30.0  # how long an answer of the DNS is used without asking again

LookUpHost = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host. Raises OSError or UnicodeError if there are none."""


class AddressRefused(httpx2.ConnectError):
    """A name leads to where nobody may connect."""


class HostBook:
    """The checked addresses of one host. allow_private: see `addresses`."""

    def __init__(self, *, allow_private: bool, look_up: LookUpHost | None = None) -> None:
        self._allow_private = allow_private
        self._look_up = look_up or _ask_resolver
        self._known: Sequence[str] = ()
        self._known_until = 0.0

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Where to connect to, the first one first. Without an answer of the DNS the last known ones do.

        Raises AddressRefused if any of them is refused, httpx2.ConnectError if there are none.
        """
        now = asyncio.get_running_loop().time()
        if self._known and now < self._known_until:
            return self._known
        try:
            found = list(dict.fromkeys(await self._look_up(host, port)))
        except (OSError, UnicodeError) as fault:
            if self._known:
                return self._known
            raise httpx2.ConnectError(f"the name {host} is not known: {_in_words(fault)}") from fault
        self._check(host, found)
        self._known, self._known_until = found, now + FRESH_S
        return found

    def _check(self, host: str, addresses: Sequence[str]) -> None:
        if not addresses:
            raise httpx2.ConnectError(f"the name {host} has no address")
        for address in addresses:
            if why := refusal(address, allow_private=self._allow_private):
                raise AddressRefused(f"{host} leads to {address}, {why}")


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends each request to a checked address of its host."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, book: HostBook) -> None:
        self._inner = inner
        self._book = book

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response of the first address that takes the connection. Raises what httpx2 does."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        fault: httpx2.ConnectError | None = None
        for address in await self._book.addresses(url.host, port):
            try:
                return await self._inner.handle_async_request(_towards(request, address))
            except httpx2.ConnectError as failed:
                fault = failed
        assert fault is not None
        raise fault

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._inner.aclose()


def _towards(request: httpx2.Request, address: str) -> httpx2.Request:
    """The same request, sent to an address. `Host` was set from the name when the request was made."""
    extensions = dict(request.extensions)
    if not _is_address(request.url.host):
        extensions["sni_hostname"] = request.url.raw_host.decode("ascii")
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _ask_resolver(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _in_words(fault: OSError | UnicodeError) -> str:
    return (fault.strerror or "no answer") if isinstance(fault, OSError) else "it is no name"
