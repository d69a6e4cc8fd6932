"""`crm.yaml` as typed values: where customers are kept, and which fields a customer has.

Read when the service starts or reloads and by the command line, never during a call. Without the file there is no
CRM. Secrets are not read here: `connectors.opening` does, when a connector is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.config.validation import (
    ITEM,
    Many,
    Section,
    Text,
    also_written,
    closest,
    fault,
    validate,
    written_as,
)
from cordboard.config.yaml_reader import read_yaml
from cordboard.crm.customer import KINDS, FieldType, Kind
from cordboard.crm.http_section import Http
from cordboard.crm.phone_numbers import COUNTRIES
from cordboard.errors import ConfigurationError

FILE = "crm.yaml"
RESERVED_FIELDS = frozenset({"found", "matches", "others", "true", "false", "null", "in"})
"""What a look-up adds to the fields itself, and words after which no dot may follow in an expression."""


# What people write who mean one of these countries: codes of other lists.
_MEANT = {"UK": "GB", "EN": "GB", "GBR": "GB", "USA": "US", "EL": "GR", "DEU": "DE", "ESP": "ES", "FRA": "FR"}


def _country(code: str) -> str:
    if code.upper() not in COUNTRIES:
        meant = _MEANT.get(code.upper())
        hint = f"did you mean `{meant}`?" if meant else "write two letters, for instance GB"
        raise fault("unknown-country", f"there is no country `{code}`", hint)
    return code.upper()


def _field_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
        hint = "small letters, digits and _, at most 32, beginning with a letter"
        raise fault("bad-name", f"`{name}` is no name for a field", hint)
    if name in RESERVED_FIELDS:
        raise fault("bad-name", f"`{name}` has a meaning of its own", f"write {name}_value, say")
    return name


@also_written(ITEM)
def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


_CONNECTORS = ("directory", "http")


@also_written({"enum": ["directory"]})
def _connector_word(value: object) -> object:
    """`connector: directory` for `connector: {directory: {}}`."""
    if value == "directory":
        return {"directory": {}}
    if value == "http":
        hint = 'write `connector: {http: {url: "https://crm.example.com/customers?phone={number}"}}`'
        raise fault("one-connector", "the connector `http` needs to know whom to ask", hint)
    if isinstance(value, str):
        hint = closest(value, _CONNECTORS) or f"known: {', '.join(_CONNECTORS)}"
        raise fault("unknown-connector", f"there is no connector `{value}`", hint)
    if isinstance(value, dict) and "directory" in value and value["directory"] is None:
        return {**value, "directory": {}}
    return value


FieldName = Annotated[Text, AfterValidator(_field_name)]
Columns = Annotated[Many[Text], BeforeValidator(_one_or_many)]


class Directory(Section):
    """The embedded directory: a file of our own, filled from CSV.

    id, numbers, updated: the CSV's columns for these; columns: those of fields whose column has another name.
    """

    id: Text | None = Field(default=None, description="The CSV's column with the customer's number or id.")
    numbers: Columns = Field(default=(), description="The CSV's columns with telephone numbers.")
    updated: Text | None = Field(
        default=None, description="The CSV's column that says when a row was changed last."
    )
    columns: dict[Text, Text] = Field(
        default_factory=dict, description="The CSV's columns of fields that are called otherwise here."
    )


class ConnectorChoice(Section):
    """Exactly one of the connectors."""

    directory: Directory | None = Field(
        default=None, description="A file of our own, filled by `cordboard customers import`."
    )
    http: Http | None = Field(default=None, description="A CRM that is asked over HTTP and answers JSON.")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.directory is None) == (self.http is None):
            raise fault("one-connector", "give exactly one connector", "known: directory, http")
        return self


_CUSTOMER = written_as(lambda field: f"customer: {{{field or 'name'}: text}}")


class CrmSettings(Section):
    """All of `crm.yaml`.

    country:   whose numbers those without country code are. timeout_s: how long a caller waits for an answer.
    patience_s: how long an answer is waited for behind the caller's back, so that the agent still sees it.
    customer:  the fields and their types; title: the one shown large, the first one if left out.
    """

    country: Annotated[Text, AfterValidator(_country)] = Field(
        description="Whose numbers those without country code are, `GB`."
    )
    connector: Annotated[
        ConnectorChoice, written_as(lambda _: "connector: directory"), BeforeValidator(_connector_word)
    ] = Field(description="Where customers are kept: `directory`, or `http:` with more about it.")
    customer: Annotated[dict[FieldName, FieldType], Field(min_length=1, max_length=50), _CUSTOMER] = Field(
        description="What is known of a customer: each field and its type."
    )
    title: Text = Field(default="", description="The field that agents see largest; the first one if left out.")
    timeout_s: Annotated[float, Field(ge=0.05, le=10)] = Field(
        default=0.8, description="How long a caller waits for an answer."
    )
    patience_s: Annotated[float, Field(ge=0.1, le=60)] = Field(
        default=8.0, description="How long an answer is waited for behind the caller's back, for the agent."
    )

    @property
    def title_field(self) -> str:
        """The field that is shown large."""
        return self.title or next(iter(self.customer))

    @property
    def kinds(self) -> dict[str, Kind]:
        """The fields with the types they have in a flow's conditions."""
        return {name: KINDS[type_] for name, type_ in self.customer.items()}


def load_crm(directory: Path) -> CrmSettings | None:
    """The CRM of a configuration directory; None if it has no crm.yaml.

    Raises ConfigurationError with every fault.
    """
    path = directory / FILE
    if not path.exists():
        return None
    document = read_yaml(path, shown_as=FILE)
    settings, findings = validate(CrmSettings, document)
    if settings is not None:
        findings = sorted(_unknown_fields(settings, document))
    if settings is None or findings:
        raise ConfigurationError(findings)
    return settings


def _unknown_fields(settings: CrmSettings, document: Document) -> list[Finding]:
    """Names of fields, outside `customer`, that are not there."""
    hint = f"known: {', '.join(settings.customer)}"
    return [
        document.finding(
            way,
            "unknown-field",
            f"there is no field `{name}`",
            closest(name, settings.customer) or hint,
            key=is_key,
        )
        for way, name, is_key in _named_fields(settings)
        if name not in settings.customer
    ]


def _named_fields(settings: CrmSettings) -> Iterator[tuple[Keys, str, bool]]:
    """Where fields are named: the way there, the name, and whether it is a key."""
    choice = settings.connector
    if settings.title:
        yield ("title",), settings.title, False
    for name in choice.directory.columns if choice.directory else ():
        yield ("connector", "directory", "columns", name), name, True
    for name in choice.http.fields if choice.http else ():
        yield ("connector", "http", "fields", name), name, True
