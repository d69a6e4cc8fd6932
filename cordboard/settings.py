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

from cordboard.config.database_section import Database, DatabaseSection
from cordboard.config.findings import Finding
from cordboard.config.kinds import PlainName
from cordboard.config.outside_section import Outside
from cordboard.config.queue_log_section import QueueLogSection
from cordboard.config.scalars import plain_value
from cordboard.config.secret_reference import PathText as PathText
from cordboard.config.secret_reference import SecretReference as SecretReference
from cordboard.config.secret_reference import read_secret as read_secret
from cordboard.config.validation import Many, Section, Text, fault, validate
from cordboard.config.voice_section import VoiceSection
from cordboard.config.yaml_reader import Document, read_yaml
from cordboard.errors import ConfigurationError
from cordboard.http_section import WebService
from cordboard.scripts_section import Script, ScriptPoolSection
from cordboard.telephony.capabilities import SwitchName
from cordboard.telephony.dial_policy import BadDialRule, BadOutside, DialPolicy, parse_rule
from cordboard.telephony.reach import Reach, bad_trunk

ENVIRONMENT_PREFIX = "CORDBOARD_"


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise fault("bad-zone", f"there is no time zone `{name}`", hint="write for instance Europe/London")
    return name


def _goto_target(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+,[\w.*#+-]+,\d+", text, re.ASCII):
        raise fault(
            "bad-destination",
            f"`{text}` is no place in the dialplan",
            hint="write context,extension,priority, for instance operators,s,1",
        )
    return text


def _place(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+,[\w.*#+-]+", text, re.ASCII):
        raise fault(
            "bad-destination",
            f"`{text}` is no place in the dialplan",
            hint="write context,extension, as operators,0",
        )
    return text


def _mailbox(text: str) -> str:
    if not re.fullmatch(r"[\w-]+@[\w.-]+", text, re.ASCII):
        hint = "write mailbox@context, for instance 100@default; on FreeSWITCH mailbox@domain"
        raise fault("bad-mailbox", f"`{text}` is no mailbox", hint=hint)
    return text


def _folder(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]+", text):
        raise fault("bad-folder", f"`{text}` is no plain folder name", hint="use a-z, 0-9, - and _")
    return text


def _country(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise fault("bad-country", f"`{code}` is no country", hint="two letters, as GB, IE or US")
    return code


Zone = Annotated[Text, AfterValidator(_zone)]
Country = Annotated[Text, AfterValidator(_country)]
PlaceInDialplan = Annotated[Text, AfterValidator(_goto_target)]
FreeswitchPlace = Annotated[Text, AfterValidator(_place)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Listener(Section):
    """Worker i listens on `port` + i."""

    host: Text = Field(
        default="127.0.0.1",
        description="The address to listen on; loopback unless Asterisk runs on another machine.",
    )
    port: Port = Field(description="The first worker's port; each further worker takes the next one.")


class DeskListener(Section):
    """Where agents' browsers go. https: a proxy in front of it speaks TLS, as it should off this machine."""

    host: Text = Field(default="127.0.0.1", description="The address to listen on.")
    port: Port = Field(default=8700, description="The port of the agents' desk.")
    https: bool = Field(
        default=False, description="Whether a proxy in front of it speaks HTTPS, as it should off this machine."
    )


class Listen(Section):
    """Where the workers listen: `agi` for Asterisk, `esl` for FreeSWITCH, `http` for health and metrics, and
    `desk` for browsers.
    """

    agi: Listener = Field(default=Listener(port=4573), description="Where Asterisk's dialplan connects to.")
    esl: Listener = Field(default=Listener(port=8084), description="Where FreeSWITCH's dialplan connects to.")
    http: Listener = Field(default=Listener(port=8780), description="Where health and metrics can be read.")
    desk: DeskListener = Field(default=DeskListener(), description="Where agents' browsers go.")


class Ami(Section):
    """The link to Asterisk's manager interface."""

    host: Text = Field(default="127.0.0.1", description="Where Asterisk's manager interface listens.")
    port: Port = Field(default=5038, description="Its port.")
    user: Text = Field(default="cordboard", description="The manager user; `cordboard install-dialplan` makes it.")
    secret: SecretReference = Field(
        default=SecretReference(file=Path("secrets/ami")), description="Where the user's secret is kept."
    )


_REACHES = (
    "What rings a phone of another switch, over a trunk between the two, by that switch's name; `{extension}` "
    "stands for the phone's number there."
)


class Asterisk(Section):
    """safe_destination: where calls go when no worker can take them, as context,extension,priority.
    patience_s: for how long a call looks for a worker before that. reaches: phones of the other switch.
    """

    ami: Ami = Field(default=Ami(), description="The link to Asterisk's manager interface.")
    safe_destination: PlaceInDialplan = Field(
        default="operators,s,1",
        description="Where calls go that no worker can take: context,extension,priority of your own dialplan.",
    )
    patience_s: Annotated[float, Field(ge=0.5, le=30)] = Field(
        default=3.0, description="How long a call looks for a worker before it goes to the safe destination."
    )
    reaches: dict[SwitchName, Text] = Field(default_factory=dict, description=_REACHES)


class EventSocket(Section):
    """The link to FreeSWITCH's event socket."""

    host: Text = Field(default="127.0.0.1", description="Where FreeSWITCH's event socket listens.")
    port: Port = Field(default=8021, description="Its port.")
    secret: SecretReference = Field(
        default=SecretReference(file=Path("secrets/event_socket")), description="Where its password is kept."
    )


class Freeswitch(Section):
    """safe_destination: where calls go when no worker can take them, as context,extension. patience_s: for how long
    a call looks for a worker before that. reaches: phones of the other switch.
    """

    event_socket: EventSocket = Field(default=EventSocket(), description="The link to FreeSWITCH's event socket.")
    safe_destination: FreeswitchPlace = Field(
        default="operators,operator",
        description="Where calls go that no worker can take: context,extension of your own dialplan.",
    )
    patience_s: Annotated[float, Field(ge=0.5, le=30)] = Field(
        default=3.0, description="How long a call looks for a worker before it goes to the safe destination."
    )
    reaches: dict[SwitchName, Text] = Field(default_factory=dict, description=_REACHES)


class Box(Section):
    """Where a voicemail message goes and who is told.

    mailbox: the PBX's own voicemail ("100@default"); folder: a WAV and a JSON file in <state>/voicemail/<folder>.
    tell:    e-mail addresses that are told of a message in a folder.
    """

    mailbox: Annotated[Text, AfterValidator(_mailbox)] | None = Field(
        default=None,
        description="The PBX's own voicemail, `100@default`, on FreeSWITCH `100@domain`; instead of `folder`.",
    )
    folder: Annotated[Text, AfterValidator(_folder)] | None = Field(
        default=None,
        description="The folder that messages are recorded into, below `voicemail` of the state folder.",
    )
    tell: Many[Text] = Field(
        default=(), description="E-mail addresses that are told of each message in the folder."
    )

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

    host: Text = Field(default="127.0.0.1", description="The mail server.")
    port: Port = Field(default=25, description="Its port.")
    sender: Text = Field(default="cordboard@localhost", description="The address that mail comes from.")
    attach: bool = Field(default=True, description="Whether the recording goes with the mail.")
    deadline_s: Annotated[float, Field(gt=0, le=60)] = Field(
        default=10.0, description="How long sending one mail may take."
    )
    sweep_s: Annotated[float, Field(ge=0.1, le=86_400)] = Field(
        default=600.0, description="How often messages are looked over that nobody could be told of."
    )


class Log(Section):
    """format auto: console on a terminal, JSON otherwise. numbers: how much of a caller's number is shown."""

    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`console` for people, `json` for programs; `auto` is `console` on a terminal."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important lines that are written."
    )
    numbers: Literal["full", "last3", "none"] = Field(
        default="last3", description="How much of a caller's number is shown."
    )


class Trace(Section):
    """How long it can be seen what each call did, step by step."""

    keep_days: Annotated[int, Field(ge=0, le=3_650)] = Field(
        default=30, description="Days after which a call's steps are forgotten; 0 keeps none."
    )


class Settings(Section):
    """All of `cordboard.yaml`. state: the folder for database, spoken prompts, messages and recordings."""

    state: PathText = Field(
        default=Path("state"),
        description="The folder of the service's own files: database, spoken prompts, messages.",
    )
    database: Database = Field(
        default=DatabaseSection(),
        description="Where live calls, queues and the ledger are kept: a file, or postgresql://user@host/name for "
        "several machines.",
    )
    switches: Annotated[Many[SwitchName], Field(min_length=1)] = Field(
        default=("asterisk",),
        description="The switches that calls come in on; lint tells of what one of them lacks.",
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Processes that serve calls; any of them may die."
    )
    listen: Listen = Field(default=Listen(), description="Where the service listens.")
    asterisk: Asterisk = Field(default=Asterisk(), description="The PBX, and how it is reached.")
    freeswitch: Freeswitch = Field(
        default=Freeswitch(), description="FreeSWITCH, and how it is reached; read where `switches` names it."
    )
    zone: Zone = Field(
        default="UTC",
        description="The time zone of opening hours and of times that are said, unless a flow has its own.",
    )
    country: Country | None = Field(
        default=None, description="The country of numbers that are written without a country code: GB."
    )
    extensions: dict[str, Text] = Field(
        default_factory=dict,
        description="The dial policy: patterns of extensions that flows may dial, and the device each rings.",
    )
    outside: Outside | None = Field(
        default=None, description="Numbers of the telephone network which flows may call; none without it."
    )
    transfers: dict[str, PlaceInDialplan] = Field(
        default_factory=dict,
        description="Places in the PBX's own dialplan to which flows may transfer calls, by name, each as "
        "context,extension,priority.",
    )
    voicemail: dict[str, Box] = Field(
        default_factory=dict, description="Boxes for messages, by the name flows know them by."
    )
    http: dict[PlainName, WebService] = Field(
        default_factory=dict, description="Web services that flows may ask, and no others."
    )
    scripts: dict[PlainName, Script] = Field(
        default_factory=dict, description="Python functions that flows may run."
    )
    script_pool: ScriptPoolSection = Field(
        default=ScriptPoolSection(), description="The processes that scripts run in."
    )
    mail: Mail = Field(default=Mail(), description="How mail is sent.")
    voice: VoiceSection = Field(
        default=VoiceSection(), description="Which program speaks prompts that have no recording."
    )
    log: Log = Field(default=Log(), description="What is logged, and how.")
    queue_log: QueueLogSection = Field(
        default=QueueLogSection(), description="The file in the format of Asterisk's queue_log."
    )
    watch: bool = Field(
        default=True, description="Whether a saved file is taken up at once; else at `cordboard flow publish`."
    )
    trace: Trace = Field(default=Trace(), description="What is kept of the way that calls took.")
    max_calls: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=2_000,
        description="Calls that one worker takes at a time. More go to the next one; to the safe "
        "destination if all are full.",
    )
    drain_s: Annotated[float, Field(ge=0, le=600)] = Field(
        default=25.0, description="How long a service that ends waits for its calls."
    )

    def reach(self) -> Reach:
        """Which agents' phones the callers of each switch can be joined to."""
        trunks = {"asterisk": self.asterisk.reaches, "freeswitch": self.freeswitch.reaches}
        return Reach(self.switches, {name: trunks[name] for name in self.switches})

    def dial_policy(self) -> DialPolicy:
        """What flows may dial. Raises BadDialRule or BadOutside; not for settings that `load_settings` gave."""
        outside = self.outside.policy(self.country or "") if self.outside else None
        return DialPolicy.of(self.extensions, outside)


class Numbers(Section):
    """All of `numbers.yaml`: which flow a dialled number gets; `default` takes the rest."""

    default: Text | None = Field(default=None, description="The flow of all numbers that are not listed.")
    numbers: dict[str, Text] = Field(default_factory=dict, description="The flow of each dialled number.")

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
        findings = sorted((*_bad_dial_rules(settings, document), *_bad_trunks(settings, document)))
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
    try:
        settings.dial_policy()
    except BadOutside as bad:
        yield document.finding(("outside", *bad.keys), "bad-outside", bad.message, bad.hint)
    except BadDialRule:
        return  # told above, each at its place


def _bad_trunks(settings: Settings, document: Document) -> Iterator[Finding]:
    for name in settings.switches:
        section = settings.asterisk if name == "asterisk" else settings.freeswitch
        for other, device in section.reaches.items():
            if (found := bad_trunk(name, other, device)) is not None:
                yield document.finding((name, "reaches", other), "bad-trunk", *found)


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
        hint = "`-c` names the directory of the configuration; `cordboard init DIR` makes one"
        raise ConfigurationError([Finding(file, 1, 1, "unreadable-file", f"{directory} has no {file}", hint)])
    return read_yaml(directory / file, shown_as=file)


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
