"""`/healthz`, `/readyz` and `/metrics` of one worker."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cordboard.hosted_server import HostedServer
from cordboard.service.metrics import Metrics

GRACE_S = 1  # for a request that is being answered when the worker ends

Checks = Callable[[], Mapping[str, bool]]
IsReady = Callable[[Mapping[str, bool]], bool]
Refresh = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Where all figures are counted as things happen."""


def _all_of(found: Mapping[str, bool]) -> bool:
    return all(found.values())


def health_app(
    checks: Checks, metrics: Metrics, refresh: Refresh = _nothing, *, is_ready: IsReady = _all_of
) -> Starlette:
    """The web application. checks: what is well and what is not, by name; is_ready: whether new calls are welcome
    by them. refresh: reads the figures that are read when somebody asks.
    """

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_request: Request) -> Response:
        found = dict(checks())
        ready = is_ready(found)
        return JSONResponse({"ready": ready, "checks": found}, 200 if ready else 503)

    async def show_metrics(_request: Request) -> Response:
        await refresh()
        for name, is_up in checks().items():
            if gauge := metrics.checks.get(name):
                gauge.set(is_up)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", show_metrics)])


def bind_health(host: str, port: int) -> socket.socket:
    """The port, before anything else is started. Raises OSError. (uvicorn would end the process instead.)"""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def health_server(app: Starlette) -> HostedServer:
    """A server for `app`, to be run with `serve(sockets=[...])` and ended by `should_exit = True`."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=GRACE_S
    )
    return HostedServer(config)
