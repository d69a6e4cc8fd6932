"""The web server of the desk: uvicorn inside a loop which is not its own, on a port that is bound before.

Run it with `serve(sockets=[...])`; `should_exit = True` ends it: open pages are let go and come back to whoever
serves next.
"""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from cordboard.hosted_server import HostedServer

GRACE_S = 2  # for a request that is being answered when the desk ends
CONNECTIONS_MAX = 1_500  # 500 pages with their event stream, and as many again for what they load
HEAD_MAX = 16_384  # bytes of a request's first line and headers


class DeskServer(HostedServer):
    """It lets open pages go when it stops."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.feed.end()
        await super().shutdown(sockets)


def desk_server(app: FastAPI, *, https: bool = False) -> DeskServer:
    """A server for the desk. https: a proxy on this machine does TLS, and says whose request it hands on."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=https,
        limit_concurrency=CONNECTIONS_MAX,
        h11_max_incomplete_event_size=HEAD_MAX,
        timeout_graceful_shutdown=GRACE_S,
    )
    return DeskServer(config, app)
