"""The `http` section of crm.yaml: how a CRM is asked over HTTP, and where the customer is in its answer.

Part of `crm_file`; read by the HTTP connector. The caller's number is all that varies in a question, it is E.164
by then, and it can stand behind the host only: no caller decides where we connect to.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, model_validator

from cordboard.config.secret_reference import PathText
from cordboard.config.validation import Many, Section, Text, fault
from cordboard.http_client.sections import (
    HeaderName,
    HeaderText,
    SecretHeader,
    is_plain,
    plain_http_fault,
    web_address,
)

_PLACEHOLDERS = ("number", "digits")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _url(url: str) -> str:
    """A template whose host nobody but the admin chooses."""
    web_address(url)
    return _template(url)


def _template(text: str) -> str:
    for name in PLACEHOLDER.findall(text):
        if name not in _PLACEHOLDERS:
            known = "{number} (+442079460123), {digits} (442079460123)"
            raise fault("unknown-placeholder", f"`{{{name}}}` is not known here", f"known: {known}")
    return text


JsonPath = Annotated[Text, Field(pattern=r"^[^.\s][^\s]*$")]
"""Keys with dots between them: "account.tier"; a number is a place in a list."""


class Http(Section):
    """A CRM that is asked over HTTP and answers JSON.

    url, body:  with {number} or {digits} where the caller's number goes; body: JSON, for POST.
    customers:  the path to the customer, or the list of customers, in the answer; "" if it is the whole answer.
    fields:     the path of each field within a customer; a field not named is at its own name.
    id, updated: paths too; updated: when the record was changed last, ISO text or seconds since 1970.
    none_if:    statuses that mean: no such customer.
    repeatable: the question may be asked again after a fault; true of every GET, and of a POST that only searches.
    """

    url: Annotated[Text, AfterValidator(_url)] = Field(
        description="The address that is asked, with {number} or {digits} where the caller's number goes."
    )
    method: Literal["GET", "POST"] = Field(default="GET", description="How it is asked.")
    headers: dict[HeaderName, HeaderText | SecretHeader] = Field(
        default_factory=dict, description="Headers of the request; secrets by reference."
    )
    body: dict[str, JsonValue] | None = Field(
        default=None, description="The JSON that a POST sends, with {number} or {digits} in it."
    )
    customers: Text = Field(
        default="",
        description="Where in the answer the customer is, or the list of them; empty for the whole answer.",
    )
    fields: dict[Text, JsonPath] = Field(
        default_factory=dict, description="Where each field is within a customer; one not named is at its own name."
    )
    id: JsonPath = Field(default="id", description="Where the customer's id is.")
    updated: JsonPath | None = Field(default=None, description="Where it says when the record was changed last.")
    none_if: Many[Annotated[int, Field(ge=400, le=499)]] = Field(
        default=(404,), description="Statuses that mean: no such customer."
    )
    repeatable: bool | None = Field(
        default=None, description="Whether the question may be asked again after a fault."
    )
    ca_file: PathText | None = Field(default=None, description="Certificates of your own authority.")
    allow_plain_http: bool = Field(
        default=False, description="Whether http:// will do, on a network that is all yours."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if is_plain(self.url) and not self.allow_plain_http:
            raise plain_http_fault("numbers and customers")
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
