"""The `http` section of cordboard.yaml: the web services that flows may ask, by the names flows call them by.

    http:
      orders:
        url: https://api.example.org/v1
        headers: {Authorization: {file: secrets/orders, prefix: "Bearer "}}

Part of `settings`; read by `service.web_services`. A flow knows the name alone: neither it nor a caller decides
where we connect to, and no secret stands in a flow.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from cordboard.config.secret_reference import PathText
from cordboard.config.validation import Section, Text, fault
from cordboard.http_client.addresses import refusal
from cordboard.http_client.sections import (
    HeaderName,
    HeaderText,
    SecretHeader,
    is_plain,
    plain_http_fault,
    web_address,
)

LONGEST_S = 10.0  # a caller hears nothing meanwhile


def _base_url(url: str) -> str:
    parts = web_address(url)
    if parts.query:
        raise fault("bad-url", "no ? belongs here", "write `query:` at the node, or a header here")
    if any(character in url for character in "{}"):
        raise fault("bad-url", "no placeholder belongs here", "it goes into the path at the node")
    if _is_odd_address(parts.hostname or ""):
        raise fault("bad-url", f"`{parts.hostname}` is an address in disguise", "write it as 203.0.113.7")
    return url.rstrip("/")


def _is_odd_address(host: str) -> bool:
    """Whether a name would be read as an address by the resolver: 0x7f.1, 2130706433."""
    try:
        ip_address(host)
    except ValueError:
        try:
            socket.inet_aton(host)
        except OSError:
            return False
        return True
    return False


class WebService(Section):
    """A web service that flows may ask, and that answers JSON."""

    url: Annotated[Text, AfterValidator(_base_url)] = Field(
        description="Its address; what a node writes behind `get:` follows it."
    )
    headers: dict[HeaderName, HeaderText | SecretHeader] = Field(
        default_factory=dict,
        description="Headers of every request; a secret by `file:` or `env:`, with a `prefix:`.",
    )
    timeout_s: Annotated[float, Field(gt=0, le=LONGEST_S)] = Field(
        default=3.0, description="How long a request may take, all attempts together, if a node does not say."
    )
    private: bool = Field(
        False,
        description="Whether it is on this machine or in one's own network, where nothing is asked otherwise.",
    )
    ca_file: PathText | None = Field(
        default=None,
        description="A certificate (PEM) of one's own authority, to be trusted instead of the system's.",
    )
    allow_plain_http: bool = Field(
        default=False, description="Whether `http://` is meant: what is asked can be read on the network."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if is_plain(self.url) and not self.allow_plain_http:
            raise plain_http_fault("what is asked and answered")
        why = self._address_refused()
        if why:
            hint = "" if self.private else "add `private: true` if the service is yours"
            raise fault("private-address", f"this is {why}", hint)
        return self

    def _address_refused(self) -> str:
        """Why the host, where an address is written, may not be asked; "" if it may, or is a name."""
        host = urlsplit(self.url).hostname or ""
        if host == "localhost" or host.endswith(".localhost"):
            return "" if self.private else "a loopback address"
        try:
            ip_address(host)
        except ValueError:
            return ""
        return refusal(host, allow_private=self.private)
