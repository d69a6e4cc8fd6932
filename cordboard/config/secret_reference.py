"""A secret in a configuration: where it is kept, and how it is read. It never stands in a YAML file itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from cordboard.config.findings import Finding
from cordboard.config.validation import Section, Text, fault
from cordboard.errors import ConfigurationError

_MADE_BY = "`cordboard install-dialplan` makes the secret that we share with a switch, and writes it there."
_GIVEN_BY = "give the file to the user that runs the service: chown asterisk FILE, or freeswitch (and its folder)"

PathText = Annotated[Path, Field(strict=False)]


class SecretReference(Section):
    """Where a secret is kept; it never stands in the file itself. file: relative to the configuration."""

    file: PathText | None = Field(
        default=None, description="The file that holds the secret, seen from the configuration directory."
    )
    env: Text | None = Field(default=None, description="The environment variable that holds the secret.")

    @model_validator(mode="before")
    @classmethod
    def _elsewhere(cls, written: Any) -> Any:
        """Never with what was written, which may be the secret."""
        if isinstance(written, str | int | float):
            hint = "write `{file: secrets/NAME}`, and the secret into that file; or `{env: NAME}`"
            raise fault("secret-in-file", "a secret does not stand in the file itself", hint)
        return written

    @model_validator(mode="after")
    def _one(self) -> SecretReference:
        if (self.file is None) == (self.env is None):
            raise ValueError("write either `file:` or `env:`")
        return self


def read_secret(reference: SecretReference, directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The secret itself. Raises ConfigurationError if it cannot be read or is empty; who knows where the
    reference is written puts that place into the finding.
    """
    try:
        secret = environment[reference.env] if reference.env else _read_text(directory, reference.file)
    except (KeyError, OSError, UnicodeDecodeError) as fault:
        raise ConfigurationError([_secret_finding(reference, _in_words(fault), _hint(fault))]) from fault
    if not secret:
        raise ConfigurationError([_secret_finding(reference, "it is empty", _MADE_BY)])
    return secret


def _read_text(directory: Path, file: Path | None) -> str:
    assert file is not None
    return (directory / file).read_text("utf-8").strip()


def _in_words(fault: KeyError | OSError | UnicodeDecodeError) -> str:
    """Never with what is in the file."""
    if isinstance(fault, OSError):
        return fault.strerror or type(fault).__name__
    return "it is not set" if isinstance(fault, KeyError) else "it is not UTF-8 text"


def _hint(fault: Exception) -> str:
    return _GIVEN_BY if isinstance(fault, PermissionError) else _MADE_BY


def _secret_finding(reference: SecretReference, fault: str, hint: str) -> Finding:
    where = f"environment variable {reference.env}" if reference.env else f"file {reference.file}"
    return Finding(
        "cordboard.yaml", 1, 1, "secret-unreadable", f"the secret in {where} cannot be read: {fault}", hint
    )
