"""The pages, scripts and styles, read once at start: a closed list, so that no address leads to any other file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file. etag: of its content, so that a browser asks again and is answered with nothing."""

    content: bytes
    media_type: str
    etag: str

    def answer(self, request: Request, cache: str) -> Response:
        """The file, or 304 if the browser has this very content. cache: how long it may keep it."""
        headers = {"Cache-Control": cache, "ETag": self.etag}
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)

    def without(self, text: str) -> StaticFile:
        """The same file without a text that stands in it once, or not at all."""
        before, _, after = self.content.partition(text.encode())
        return _file_of(before + after, self.media_type)


def read_static_files() -> dict[str, StaticFile]:
    """Every file of the folder `static`, by name."""
    folder = files("cordboard.desk") / "static"
    return {file.name: _static_file(file.name, file.read_bytes()) for file in folder.iterdir() if file.is_file()}


def mark_of(static: Mapping[str, StaticFile]) -> str:
    """A word that is another one when any of the files is."""
    etags = "".join(static[name].etag for name in sorted(static))
    return hashlib.sha256(etags.encode()).hexdigest()[:12]


def _static_file(name: str, content: bytes) -> StaticFile:
    return _file_of(content, MEDIA_TYPES[name[name.rindex(".") :]])


def _file_of(content: bytes, media_type: str) -> StaticFile:
    return StaticFile(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
