"""Check `engine`: whether a Docker engine answers. Only `make demo` and `cordboard lab` need one: never a fault."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from cordboard.bootstrap.checks.premises import Premises
from cordboard.bootstrap.checks.result import Check, Result, note, ok, warning

DEFAULT_ENGINE = "unix:///var/run/docker.sock"
_FOR_LAB = "only `make demo` and `cordboard lab` need it"
_TYPED = "sudo systemctl start docker"


async def look(_premises: Premises) -> Sequence[Result]:
    """The engine of the environment: DOCKER_HOST, or the default socket."""
    return [await ask(engine_address(os.environ))]


def engine_address(environment: Mapping[str, str]) -> str:
    """Where the engine should be."""
    return environment.get("DOCKER_HOST") or DEFAULT_ENGINE


async def ask(address: str) -> Result:
    """What the engine there answers. Other than sockets and plain TCP it is not asked."""
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return await _ask_socket(Path(parts.path))
    if parts.scheme == "tcp":
        return await _ask_url(f"http://{parts.netloc}", httpx2.AsyncHTTPTransport(), address)
    return note(f"DOCKER_HOST is {address}, which is not looked at; {_FOR_LAB}", "docker version")


async def _ask_socket(path: Path) -> Result:
    if not await asyncio.to_thread(path.exists):
        return note(f"no Docker engine; {_FOR_LAB}", "apt-get install docker.io")
    if not os.access(path, os.W_OK, effective_ids=True):
        fix = "sudo usermod -aG docker $USER, and log in again"
        return warning(f"this user may not use the Docker engine; {_FOR_LAB}", fix)
    return await _ask_url("http://docker", httpx2.AsyncHTTPTransport(uds=str(path)), str(path))


async def _ask_url(url: str, transport: httpx2.AsyncHTTPTransport, shown: str) -> Result:
    try:
        async with httpx2.AsyncClient(transport=transport, timeout=3.0) as client:
            answer = await client.get(f"{url}/version")
            version = str(answer.raise_for_status().json()["Version"])
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return warning(f"no Docker engine answers at {shown}; {_FOR_LAB}", _TYPED)
    return ok(f"Docker engine {version} answers")


CHECK = Check("engine", look, _TYPED)
