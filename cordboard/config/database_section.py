"""The section `database` of `cordboard.yaml`: a file of this machine, or a PostgreSQL server that several share.

    database: /srv/cordboard/calls.db
    database: postgresql://cordboard@10.0.0.5/cordboard
    database:
      url: postgresql://cordboard@db.example.com:5432/cordboard?sslmode=verify-full
      password: {file: secrets/database}

Read with the settings. `bootstrap.database_address` makes of it what the store opens.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cordboard.config.secret_reference import PathText, SecretReference
from cordboard.config.validation import AS_TEXT, Section, Text, also_written, fault

SCHEMES = ("postgresql", "postgres")
_EXAMPLE = "write for instance postgresql://cordboard@10.0.0.5/cordboard"


def _database_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        password, _ = parts.password, parts.port  # a port that is no number is only found out when it is read
    except ValueError as bad:
        raise fault("bad-database", f"`{url}` is no address of a database: {bad}", _EXAMPLE) from bad
    if password:  # which is not repeated here: findings end up in logs
        hint = "write `password: {file: secrets/database}` beside `url`, and the password into that file"
        raise fault("secret-in-file", "the address of the database holds its password", hint)
    if parts.scheme not in SCHEMES:
        raise fault("bad-database", f"`{url}` does not begin with postgresql://", _EXAMPLE)
    if not parts.path.strip("/"):
        raise fault("bad-database", f"`{url}` does not say which database of the server it is", _EXAMPLE)
    return url


class DatabaseSection(Section):
    """Where live calls, queues, agents and the ledger are kept: one of `path` and `url`."""

    path: PathText | None = Field(
        default=None,
        description="The file of a database of this machine, seen from the configuration directory; `cordboard.db` "
        "in the state folder without it.",
    )
    url: Annotated[Text, AfterValidator(_database_url)] | None = Field(
        default=None,
        description="The PostgreSQL database that the workers of several machines share: "
        "postgresql://user@host/name, 15 or newer.",
    )
    password: SecretReference | None = Field(
        default=None, description="Where the password for `url` is kept; none without it."
    )

    @model_validator(mode="after")
    def _fits(self) -> DatabaseSection:
        if self.path is not None and self.url is not None:
            raise ValueError("write either `path:` or `url:`")
        if self.password is not None and self.url is None:
            raise ValueError("`password:` goes with `url:`")
        return self


@also_written(AS_TEXT)
def _as_section(value: Any) -> Any:
    """A plain text is an address if it looks like one, else a file."""
    if not isinstance(value, str):
        return value
    return {"url": value} if "://" in value else {"path": value}


Database = Annotated[DatabaseSection, BeforeValidator(_as_section)]
