"""The `http` section of crm.yaml: how a CRM is asked over HTTP, and where the customer is in its answer.

Part of `crm_file`; read by the HTTP connector. The caller's number is all that varies in a question, it is E.164
by then, and it can stand behind the host only: no caller decides where we connect to.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, model_validator

from cordboard.config.validation import Many, Section, Text, fault
from cordboard.settings import PathText, SecretReference

_PLACEHOLDERS = ("number", "digits")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _url(url: str) -> str:
    """A template whose host nobody but the admin chooses."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise fault("bad-url", "this is no address of an HTTP service", "write https://crm.example.com/...")
    if parts.username is not None or parts.fragment:
        raise fault("bad-url", "no user, password or # belongs here", "write a header with a secret instead")
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise fault("bad-url", f"`{host}` is no host name", "placeholders may stand behind the host only")
    return _template(url)


def _template(text: str) -> str:
    for name in PLACEHOLDER.findall(text):
        if name not in _PLACEHOLDERS:
            known = "{number} (+442079460123), {digits} (442079460123)"
            raise fault("unknown-placeholder", f"`{{{name}}}` is not known here", f"known: {known}")
    return text


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise fault("bad-header", f"`{name}` is no name of a header", "letters, digits and -")
    if name.lower() in ("host", "content-length", "transfer-encoding", "connection", "accept-encoding"):
        raise fault("bad-header", f"`{name}` is set by the connector itself", "remove it")
    return name


def header_value(value: str) -> str:
    """A header's value as it can go on the wire."""
    if not re.fullmatch(r"[\x20-\x7e]*", value):
        raise fault("bad-header", "a header holds printable ASCII characters only")
    return value


JsonPath = Annotated[Text, Field(pattern=r"^[^.\s][^\s]*$")]
"""Keys with dots between them: "account.tier"; a number is a place in a list."""


class SecretHeader(SecretReference):
    """A header's value with a secret in it. prefix: what stands before the secret, "Bearer "."""

    prefix: Annotated[Text, AfterValidator(header_value)] = ""


HeaderText = Annotated[Text, AfterValidator(header_value)]


class Http(Section):
    """A CRM that is asked over HTTP and answers JSON.

    url, body:  with {number} or {digits} where the caller's number goes; body: JSON, for POST.
    customers:  the path to the customer, or the list of customers, in the answer; "" if it is the whole answer.
    fields:     the path of each field within a customer; a field not named is at its own name.
    id, updated: paths too; updated: when the record was changed last, ISO text or seconds since 1970.
    none_if:    statuses that mean: no such customer.
    repeatable: the question may be asked again after a fault; true of every GET, and of a POST that only searches.
    """

    url: Annotated[Text, AfterValidator(_url)]
    method: Literal["GET", "POST"] = "GET"
    headers: dict[Annotated[Text, AfterValidator(_header_name)], HeaderText | SecretHeader] = Field(
        default_factory=dict
    )
    body: dict[str, JsonValue] | None = None
    customers: Text = ""
    fields: dict[Text, JsonPath] = Field(default_factory=dict)
    id: JsonPath = "id"
    updated: JsonPath | None = None
    none_if: Many[Annotated[int, Field(ge=400, le=499)]] = (404,)
    repeatable: bool | None = None
    ca_file: PathText | None = None
    allow_plain_http: bool = False

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if urlsplit(self.url).scheme == "http" and not self.allow_plain_http and not _is_loopback(self.url):
            hint = "write https://, or add `allow_plain_http: true` if the network is all yours"
            raise fault("plain-http", "numbers and customers would cross the network unencrypted", hint)
        if self.body is not None and self.method == "GET":
            raise fault("body-with-get", "a GET has no body", "add `method: POST`")
        if not PLACEHOLDER.search(f"{self.url}{_texts(self.body)}"):
            raise fault("no-number", "the caller's number stands nowhere", "write {number} into `url` or `body`")
        _template(_texts(self.body))
        return self

    @property
    def host(self) -> str:
        """Who is asked, with the port if one is written."""
        return urlsplit(self.url).netloc

    @property
    def is_repeatable(self) -> bool:
        """Whether a fault may be followed by another try."""
        return self.method == "GET" if self.repeatable is None else self.repeatable


def _texts(body: JsonValue) -> str:
    """All texts of a body, one after the other."""
    match body:
        case str():
            return body
        case list():
            return " ".join(map(_texts, body))
        case dict():
            return " ".join(map(_texts, body.values()))
    return ""


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
