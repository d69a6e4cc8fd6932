"""`/healthz`, `/readyz` and `/metrics` of one worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cordboard.service.metrics import Metrics

Checks = Callable[[], Mapping[str, bool]]


def health_app(checks: Checks, metrics: Metrics) -> Starlette:
    """The web application. checks: what must all be true for new calls to be welcome, by name."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_request: Request) -> Response:
        found = dict(checks())
        return JSONResponse({"ready": all(found.values()), "checks": found}, 200 if all(found.values()) else 503)

    async def show_metrics(_request: Request) -> Response:
        for name, is_up in checks().items():
            if gauge := metrics.checks.get(name):
                gauge.set(is_up)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", show_metrics)])


class HealthServer(uvicorn.Server):
    """uvicorn inside our own event loop: the worker handles the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def health_server(app: Starlette, host: str, port: int) -> HealthServer:
    """A server for `app`, to be run with `serve()` and ended by `should_exit = True`."""
    config = uvicorn.Config(app, host=host, port=port, log_config=None, access_log=False, lifespan="off")
    return HealthServer(config)
