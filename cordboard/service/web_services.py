"""One web service of the settings, opened: its client, its breaker, and when it can be closed.

Made for `http_requests` at start and at each reload. Each service has connections of its own: a slow one takes none
from the others, and a header's secret goes to no other host.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

import structlog

from cordboard.config.findings import Finding
from cordboard.config.yaml_reader import read_yaml
from cordboard.crm.breaker import Breaker
from cordboard.errors import ConfigurationError
from cordboard.http_client import opening
from cordboard.http_client.client import NoAnswer, WebAnswer, WebClient
from cordboard.http_client.guarded_transport import HostBook
from cordboard.http_section import WebService
from cordboard.telephony.verbs import HttpRequest

log = structlog.get_logger()

ANSWER_MAX_BYTES = 1 << 20
_FILE = "cordboard.yaml"


class OpenService:
    """See the module. Requests are asked within `asking`, which keeps the connections open."""

    def __init__(self, name: str, section: WebService, client: WebClient, breaker: Breaker | None = None) -> None:
        self.name = name
        self.section = section
        self._client = client
        self._breaker = breaker or Breaker()
        self._under_way = 0
        self._is_retired = False

    async def ask(self, verb: HttpRequest, headers: Mapping[str, str]) -> WebAnswer:
        """One attempt. Raises NoAnswer, for any status that is not 2xx too."""
        body = None if verb.body is None else verb.body.encode()
        answer = await self._client.exchange(verb.method, self._url(verb), body, headers)
        if 200 <= answer.status < 300:
            return answer
        words = f"it answered with status {answer.status}"
        if 300 <= answer.status < 400:
            words += ": redirects are not followed"
        raise NoAnswer(words, is_passing=answer.status >= 500, status=answer.status)

    def _url(self, verb: HttpRequest) -> str:
        query = f"?{urlencode(verb.query, quote_via=quote, errors='replace')}" if verb.query else ""
        return f"{self.section.url}{verb.path}{query}"

    def enter(self) -> int | None:
        """Leave to ask; None while the service rests, because the last requests failed."""
        return self._breaker.enter(_now())

    def note_answer(self, ticket: int) -> None:
        """The service is there, whatever it said."""
        if self._breaker.answered(ticket, _now()):
            log.info("http_service_answers_again", service=self.name)

    def note_failure(self, ticket: int) -> None:
        """The service was too late, could not be reached, or has a fault of its own."""
        if self._breaker.failed(ticket, _now()):
            log.warning("http_service_rests", service=self.name, rest_s=self._breaker.rest_s)

    async def __aenter__(self) -> OpenService:
        self._under_way += 1
        return self

    async def __aexit__(self, *_fault: object) -> None:
        self._under_way -= 1
        if self._is_retired and not self._under_way:
            await self._client.aclose()

    async def retire(self) -> None:
        """Close when what is under way has ended."""
        self._is_retired = True
        if not self._under_way:
            await self._client.aclose()


def open_services(
    sections: Mapping[str, WebService], directory: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, OpenService]:
    """The services, none asked yet. directory: the configuration's. Raises ConfigurationError with all faults."""
    services: dict[str, OpenService] = {}
    findings: list[Finding] = []
    for name, section in sections.items():
        try:
            services[name] = _open(name, section, directory, environment)
        except ConfigurationError as fault:
            findings += fault.findings
    if findings:
        raise ConfigurationError(findings)
    return services


def _open(name: str, section: WebService, directory: Path, environment: Mapping[str, str]) -> OpenService:
    place = partial(_place, directory, name)
    client = WebClient(
        opening.open_headers(section.headers, directory, environment, place),
        opening.open_tls(section.ca_file, directory, place),
        answer_max_bytes=ANSWER_MAX_BYTES,
        book=HostBook(allow_private=section.private),
    )
    return OpenService(name, section, client)


def unreadable_files(sections: Mapping[str, WebService], directory: Path) -> list[Finding]:
    """The files with secrets and certificates that `open_services` would refuse, as far as an admin can tell."""
    return [
        finding
        for name, section in sections.items()
        for finding in opening.unreadable_files(
            section.headers, section.ca_file, directory, partial(_place, directory, name)
        )
    ]


def _place(directory: Path, service: str, *keys: str) -> tuple[str, int, int]:
    """Where something of a service is written; read anew, as this is asked only when it is at fault."""
    try:
        return _FILE, *read_yaml(directory / _FILE, shown_as=_FILE).place(("http", service, *keys))
    except ConfigurationError:  # changed meanwhile
        return _FILE, 1, 1


def _now() -> float:
    return asyncio.get_running_loop().time()
