"""Every refusal of the desk as RFC 9457 problem details: for people who read, for programs that look at `type`.

Raised by the routes, and made here of what FastAPI and the floor raise. No answer repeats what was sent to us:
a password must not come back in the message about its length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from cordboard.errors import StoreUnavailable

MEDIA_TYPE = "application/problem+json"
_KINDS = {404: "not-found", 405: "method-not-allowed", 408: "too-slow", 413: "too-large"}

log = structlog.get_logger()


class Problem(Exception):
    """A refusal. kind: the last part of its type, stable for programs; detail: a sentence for people."""

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = headers
        super().__init__(detail)


class ProblemResponse(JSONResponse):
    """JSON of the media type that says that it is a problem."""

    media_type = MEDIA_TYPE


def problem_response(problem: Problem, errors: Sequence[Mapping[str, str]] = ()) -> ProblemResponse:
    """The answer to a refused request. errors: one for each field that is wrong, with `at` and `message`."""
    body: dict[str, Any] = {
        "type": f"urn:cordboard:problem:{problem.kind}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    return ProblemResponse(body | ({"errors": list(errors)} if errors else {}), problem.status, problem.headers)


def handle_problems(app: FastAPI) -> None:
    """Have `app` answer with problem details whatever goes wrong."""
    app.add_exception_handler(Problem, _refused)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(StoreUnavailable, _no_store)
    app.add_exception_handler(Exception, _fault)


async def _refused(_request: Request, problem: Exception) -> ProblemResponse:
    assert isinstance(problem, Problem)
    return problem_response(problem)


async def _of_the_framework(_request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    kind = _KINDS.get(error.status_code, "refused")
    return problem_response(Problem(error.status_code, kind, str(error.detail), error.headers))


async def _malformed(_request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"at": ".".join(map(str, fault["loc"])), "message": str(fault["msg"])} for fault in error.errors()]
    return problem_response(Problem(422, "malformed", "The request is not as this address expects it."), errors)


async def _no_store(_request: Request, _error: Exception) -> ProblemResponse:
    problem = Problem(
        503, "store-unavailable", "The database cannot be reached now. Please try again.", {"Retry-After": "2"}
    )
    return problem_response(problem)


async def _fault(_request: Request, error: Exception) -> ProblemResponse:
    log.error("desk_fault", fault=type(error).__name__)
    return problem_response(Problem(500, "fault", "The desk has a fault; it is in the log."))
