"""A flow's picture as an answer: an image that a page shows, and that may be opened by itself.

Opened by itself the SVG is a document, whose own style our policy would refuse: it gets one of its own, which
allows exactly that style and nothing else whatever.
"""

from __future__ import annotations

import base64
import hashlib

from starlette.responses import Response

from cordboard.desk.ports import FlowBook, NoPicture, NoSuchFlow
from cordboard.desk.problems import Problem

HOURS_MAX = 24 * 31
_BEGIN, _END = "<style>", "</style>"


class Picture(Response):
    """An SVG."""

    media_type = "image/svg+xml"


async def picture_answer(flows: FlowBook, flow: str, hours: int | None) -> Picture:
    """The picture. Raises Problem, StoreUnavailable."""
    try:
        picture = await flows.picture(flow, hours)
    except NoSuchFlow as unknown:
        raise Problem(404, "not-found", "No flow of this name is live.") from unknown
    except NoPicture as reason:
        raise Problem(503 if reason.passes else 422, "no-picture", str(reason)) from reason
    return Picture(picture, headers={"Content-Security-Policy": _policy(_style(picture))})


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; sandbox"


def _style(picture: str) -> str:
    """What stands in the first style element; all other text of a picture is escaped."""
    _, _, rest = picture.partition(_BEGIN)
    return rest.partition(_END)[0]
