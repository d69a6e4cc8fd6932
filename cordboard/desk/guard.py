"""What stands before every request of the desk: headers that tie a browser's hands, and the same-origin rule.

Wrapped around the whole application, so that no route can be forgotten. The rule: a request that may change
something must come from a page of this very desk. Browsers say where a request comes from (`Sec-Fetch-Site`,
`Origin`) and no page can forge it; who says nothing is refused, so a program sends `Origin: <the desk's address>`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cordboard.desk.problems import Problem, problem_response

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # no text becomes markup or code, not even by a mistake of ours
        "trusted-types 'none'",
    ]
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
TRANSPORT_SECURITY = "max-age=31536000"


class Guard:
    """ASGI middleware. https: people reach the desk by https only (a proxy before it does TLS)."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https
        self._headers = SECURITY_HEADERS | ({"Strict-Transport-Security": TRANSPORT_SECURITY} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._tie(MutableHeaders(scope=message))
            await send(message)

        if scope["method"] in SAFE_METHODS or is_same_origin(Headers(scope=scope), https=self._https):
            await self._app(scope, receive, send_guarded)
        else:
            await _refusal(scope, receive, send_guarded)

    def _tie(self, headers: MutableHeaders) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)  # a picture has a policy of its own
        headers.setdefault("Cache-Control", "no-store")


def is_same_origin(headers: Headers, *, https: bool) -> bool:
    """Whether a page of this desk has sent the request. Both statements must agree where both are made."""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    try:
        origin = urlsplit(headers.get("origin", ""))
    except ValueError:  # "http://[": no address at all
        return False
    if origin.scheme != "https" and (https or origin.scheme != "http"):
        return False
    return bool(origin.netloc) and origin.netloc.lower() == headers.get("host", "").lower()


async def _refusal(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(403, "foreign-origin", "This request did not come from a page of this desk.")
    await problem_response(problem)(scope, receive, send)
