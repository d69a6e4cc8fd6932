"""What sections that describe a web service have in common: its address, its headers, their secrets.

Used by the `http` sections of cordboard.yaml and crm.yaml. No caller decides where we connect to: a host is written
by the admin, in one of these.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from cordboard.config.secret_reference import SecretReference
from cordboard.config.validation import Text, fault

_SET_BY_US = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


def web_address(url: str) -> SplitResult:
    """The parts of a service's address. Raises the fault of one that is none, or whose host is no plain name."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise fault("bad-url", "this is no address of an HTTP service", "write https://service.example.com/...")
    if parts.username is not None or parts.fragment:
        raise fault("bad-url", "no user, password or # belongs here", "write a header with a secret instead")
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise fault("bad-url", f"`{host}` is no host name", "placeholders may stand behind the host only")
    return parts


def plain_http_fault(what_crosses: str) -> PydanticCustomError:
    """The fault of an address without TLS. what_crosses: "numbers and customers"."""
    hint = "write https://, or add `allow_plain_http: true` if the network is all yours"
    return fault("plain-http", f"{what_crosses} would cross the network unencrypted", hint)


def is_plain(url: str) -> bool:
    """Whether what is sent there can be read on the network: http, and not within this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host as written is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise fault("bad-header", f"`{name}` is no name of a header", "letters, digits and -")
    if name.lower() in _SET_BY_US:
        raise fault("bad-header", f"`{name}` is set by the connector itself", "remove it")
    return name


def header_value(value: str) -> str:
    """A header's value as it can go on the wire."""
    if not re.fullmatch(r"[\x20-\x7e]*", value):
        raise fault("bad-header", "a header holds printable ASCII characters only")
    return value


HeaderName = Annotated[Text, AfterValidator(_header_name)]
HeaderText = Annotated[Text, AfterValidator(header_value)]


class SecretHeader(SecretReference):
    """A header's value with a secret in it."""

    prefix: HeaderText = Field(default="", description='What stands before the secret, for instance "Bearer ".')
