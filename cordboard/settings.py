"""`cordboard.yaml` and `numbers.yaml` as typed values. Read once at start and again at each reload, never per call.

Order of precedence: environment (`CORDBOARD_LISTEN__AGI__PORT=4600`), then the file, then the defaults here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from cordboard.config.findings import Finding
from cordboard.config.scalars import plain_value
from cordboard.config.validation import Many, Section, Text, fault, validate
from cordboard.config.yaml_reader import Document, read_yaml
from cordboard.errors import ConfigurationError
from cordboard.telephony.dial_policy import BadDialRule, parse_rule

ENVIRONMENT_PREFIX = "CORDBOARD_"
_MADE_BY = "`cordboard install-dialplan` makes the secret of Asterisk's manager user and writes it there."
_GIVEN_BY = "give the file to the user that runs the service: chown asterisk FILE (and its folder)"


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise fault("bad-zone", f"there is no time zone `{name}`", hint="write for instance Europe/London")
    return name


def _goto_target(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+,[\w.*#+-]+,\d+", text):
        raise fault(
            "bad-destination",
            f"`{text}` is no place in the dialplan",
            hint="write context,extension,priority, for instance operators,s,1",
        )
    return text


def _mailbox(text: str) -> str:
    if not re.fullmatch(r"[\w-]+@[\w-]+", text):
        raise fault(
            "bad-mailbox", f"`{text}` is no mailbox", hint="write mailbox@context, for instance 100@default"
        )
    return text


def _folder(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]+", text):
        raise fault("bad-folder", f"`{text}` is no plain folder name", hint="use a-z, 0-9, - and _")
    return text


PathText = Annotated[Path, Field(strict=False)]
Zone = Annotated[Text, AfterValidator(_zone)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Listener(Section):
    """Worker i listens on `port` + i."""

    host: Text = "127.0.0.1"
    port: Port


class DeskListener(Section):
    """Where agents' browsers go. https: a proxy in front of it speaks TLS, as it should off this machine."""

    host: Text = "127.0.0.1"
    port: Port = 8700
    https: bool = False


class Listen(Section):
    """Where the workers listen: `agi` for Asterisk, `http` for health and metrics; and `desk`, for browsers."""

    agi: Listener = Listener(port=4573)
    http: Listener = Listener(port=8780)
    desk: DeskListener = DeskListener()


class SecretReference(Section):
    """Where a secret is kept; it never stands in the file itself. file: relative to the configuration."""

    file: PathText | None = None
    env: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> SecretReference:
        if (self.file is None) == (self.env is None):
            raise ValueError("write either `file:` or `env:`")
        return self


class Ami(Section):
    """The link to Asterisk's manager interface."""

    host: Text = "127.0.0.1"
    port: Port = 5038
    user: Text = "cordboard"
    secret: SecretReference = SecretReference(file=Path("secrets/ami"))


class Asterisk(Section):
    """safe_destination: where calls go when no worker can take them, as context,extension,priority.
    patience_s: for how long a call looks for a worker before that.
    """

    ami: Ami = Ami()
    safe_destination: Annotated[Text, AfterValidator(_goto_target)] = "operators,s,1"
    patience_s: Annotated[float, Field(ge=0.5, le=30)] = 3.0


class Box(Section):
    """Where a voicemail message goes and who is told.

    mailbox: the PBX's own voicemail ("100@default"); folder: a WAV and a JSON file in <state>/voicemail/<folder>.
    tell:    e-mail addresses that are told of a message in a folder.
    """

    mailbox: Annotated[Text, AfterValidator(_mailbox)] | None = None
    folder: Annotated[Text, AfterValidator(_folder)] | None = None
    tell: Many[Text] = ()

    @model_validator(mode="after")
    def _one(self) -> Box:
        if (self.mailbox is None) == (self.folder is None):
            raise ValueError("write either `mailbox:` or `folder:`")
        if self.tell and self.mailbox:
            raise ValueError("`tell:` goes with `folder:`; a PBX mailbox tells by the PBX's own voicemail.conf")
        return self


class Mail(Section):
    """How mail is sent. attach: whether the recording goes with it; sweep_s: between two rounds over
    messages that nobody could be told of.
    """

    host: Text = "127.0.0.1"
    port: Port = 25
    sender: Text = "cordboard@localhost"
    attach: bool = True
    deadline_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    sweep_s: Annotated[float, Field(ge=0.1, le=86_400)] = 600.0


class Log(Section):
    """format auto: console on a terminal, JSON otherwise. numbers: how much of a caller's number is shown."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"
    numbers: Literal["full", "last3", "none"] = "last3"


class Settings(Section):
    """All of `cordboard.yaml`. state: the folder for database, spoken prompts and voicemail messages."""

    state: PathText = Path("state")
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    listen: Listen = Listen()
    asterisk: Asterisk = Asterisk()
    zone: Zone = "UTC"
    extensions: dict[str, Text] = Field(default_factory=dict)
    voicemail: dict[str, Box] = Field(default_factory=dict)
    mail: Mail = Mail()
    log: Log = Log()
    max_calls: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    drain_s: Annotated[float, Field(ge=0, le=600)] = 25.0


class Numbers(Section):
    """All of `numbers.yaml`: which flow a dialled number gets; `default` takes the rest."""

    default: Text | None = None
    numbers: dict[str, Text] = Field(default_factory=dict)

    def flow_for(self, dnis: str) -> str | None:
        """The flow's name; None if the number has none and there is no default."""
        return self.numbers.get(dnis, self.default)


def load_settings(directory: Path, environment: Mapping[str, str] = os.environ) -> tuple[Settings, Document]:
    """The settings of a configuration directory, with the document they came from.

    Raises ConfigurationError with every fault.
    """
    document = _overlay(_read(directory, "cordboard.yaml"), environment)
    settings, findings = validate(Settings, document)
    if settings is not None:
        findings = sorted(_bad_dial_rules(settings, document))
    if settings is None or findings:
        raise ConfigurationError(findings)
    return settings, document


def _bad_dial_rules(settings: Settings, document: Document) -> Iterator[Finding]:
    for pattern, device in settings.extensions.items():
        try:
            parse_rule(pattern, device)
        except BadDialRule as bad:
            way = ("extensions", pattern)
            yield document.finding(way, "bad-dial-rule", bad.message, bad.hint, key=bad.in_pattern)


def load_numbers(directory: Path) -> tuple[Numbers, Document]:
    """Which number gets which flow. Raises ConfigurationError with every fault."""
    document = _read(directory, "numbers.yaml")
    numbers, findings = validate(Numbers, document)
    if numbers is None or findings:
        raise ConfigurationError(findings)
    return numbers, document


def _read(directory: Path, file: str) -> Document:
    """A file that every configuration has. Raises ConfigurationError."""
    if not (directory / file).exists():
        hint = "`-c` names the directory of the configuration; ivr_flows is one to copy and edit"
        raise ConfigurationError([Finding(file, 1, 1, "unreadable-file", f"{directory} has no {file}", hint)])
    return read_yaml(directory / file, shown_as=file)


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


def _overlay(document: Document, environment: Mapping[str, str]) -> Document:
    """The document with `CORDBOARD_A__B=value` over `a: {b: ...}`; only names that stand for a setting count."""
    paths = {name: name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__") for name in sorted(environment)}
    meant = [
        (path, plain_value(environment[name]))
        for name, path in paths.items()
        if name.startswith(ENVIRONMENT_PREFIX) and path[0] in Settings.model_fields
    ]
    if meant and document.data is None:  # an empty file
        document = replace(document, root=replace(document.root, data={}))
    for path, value in meant:
        _put(document.data, path, value)
    return document


def _put(target: Any, path: list[str], value: Any) -> None:
    """Set a value, however deep; what is no mapping is left alone, it will be a finding."""
    if not isinstance(target, dict):
        return
    for key in path[:-1]:
        if not isinstance(target.get(key), dict):
            target[key] = {}
        target = target[key]
    target[path[-1]] = value
