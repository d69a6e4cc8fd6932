"""An agent's seat at the desk, as a browser's request is on the wire and nothing more.

A client library would add its own milliseconds to what is measured. The connection is there before the clock runs,
as it is in a browser whose page is open.
"""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

from cordboard.errors import LabError

ANSWER_S = 10.0  # a password's hash is slow on purpose


class Seat:
    """One agent, logged in by `log_in`."""

    def __init__(self, url: str, agent: str) -> None:
        self._url = url
        self._agent = agent
        self._cookie = ""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def log_in(self, password: str) -> None:
        """Raises LabError if the desk refuses."""
        await self.connect()
        head = await self._ask("POST", "login", {"agent": self._agent, "password": password})
        cookie = next(line for line in head.split("\r\n") if line.lower().startswith("set-cookie:"))
        self._cookie = cookie.partition(":")[2].partition(";")[0].strip()
        self.close()

    async def connect(self) -> None:
        """Open the connection for the next request."""
        self.close()
        address = urlsplit(self._url)
        self._streams = await asyncio.open_connection(address.hostname, address.port)

    async def set_presence(self, presence: str) -> None:
        """Raises LabError if the desk refuses."""
        await self._ask("PUT", "presence", {"presence": presence, "reason": ""})

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, method: str, path: str, body: object) -> str:
        assert self._streams is not None
        reader, writer = self._streams
        text = json.dumps(body)
        lines = (
            f"{method} /api/v1/{path} HTTP/1.1",
            f"Host: {urlsplit(self._url).netloc}",
            f"Origin: {self._url}",
            f"Cookie: {self._cookie}",
            "Content-Type: application/json",
            f"Content-Length: {len(text)}",
        )
        writer.write("\r\n".join((*lines, "", text)).encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_S)).decode()
        if " 204 " not in head.partition("\r\n")[0]:
            raise LabError(f"the desk refused {method} {path} of {self._agent}: {head.splitlines()[0]}")
        return head
