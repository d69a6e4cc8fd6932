"""Reads a configuration directory as a whole: settings, numbers, flows. All faults of all files in one go."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import FloorPlan
from cordboard.acd.prompts import queue_prompts
from cordboard.acd.skill_checks import queue_skills
from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.callback_checks import callback_findings
from cordboard.bootstrap.database_address import database_of
from cordboard.bootstrap.outside_world import outside_faults, shown_to_flows
from cordboard.bootstrap.reach_checks import reach_findings, unreachable_devices, with_ways
from cordboard.config.document import Keys
from cordboard.config.findings import Finding, split
from cordboard.config.secret_reference import SecretReference
from cordboard.config.validation import closest
from cordboard.config.yaml_reader import Document
from cordboard.crm.connectors.opening import open_connector, unreadable_files
from cordboard.crm.crm_file import CrmSettings, load_crm
from cordboard.crm.lookups import Crm
from cordboard.errors import ConfigurationError
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flows, written_names
from cordboard.flows.surroundings import MessageBox, Surroundings
from cordboard.prompts.choosing_voices import voices_of
from cordboard.prompts.library import PromptLibrary, PromptState
from cordboard.service.house import House
from cordboard.service.web_services import OpenService, open_services
from cordboard.settings import Numbers, Settings, load_numbers, load_settings, read_secret
from cordboard.store.address import Address
from cordboard.telephony.capabilities import SwitchName
from cordboard.telephony.verbs import Prompt

T = TypeVar("T")

# What a reload does not change: it is built into running processes, or into what `install-dialplan` wrote.
NEED_RESTART = (
    "state", "database", "voice", "workers", "listen", "switches", "asterisk", "freeswitch", "max_calls", "drain_s",
)  # fmt: skip


@dataclass(frozen=True)
class Configuration:
    """Everything a worker needs to know.

    directory: where prompts and secrets lie, absolute; written: the same as it was given, for people; files: the
    YAML files read; warnings: what lint has to say about them.
    """

    directory: Path
    written: Path
    files: tuple[Path, ...]
    settings: Settings
    house: House
    plan: FloorPlan
    crm: CrmSettings | None
    library: PromptLibrary
    ami_secret: str
    event_socket_secret: str = ""
    warnings: tuple[Finding, ...] = ()

    @property
    def state(self) -> Path:
        """The folder for what the service itself writes, absolute."""
        return (self.directory / self.settings.state).absolute()

    @property
    def database(self) -> Address:
        """Where live calls, queues and the ledger are. Raises ConfigurationError if a password cannot be read."""
        return database_of(self.settings, self.directory)

    @property
    def voicemail_root(self) -> Path:
        """Where messages are recorded, one folder a box."""
        return self.state / "voicemail"

    @property
    def recordings_root(self) -> Path:
        """Where calls are recorded, both sides."""
        return self.state / "recordings"

    @property
    def agi_token(self) -> str:
        """The token that our dialplan of Asterisk passes."""
        return agi_token(self.ami_secret)

    @property
    def esl_token(self) -> str:
        """The token that our dialplan of FreeSWITCH sets on each call."""
        return agi_token(self.event_socket_secret)

    def open_crm(self) -> Crm | None:
        """The CRM that is to be asked, None without one. Raises ConfigurationError if a secret cannot be read."""
        if self.crm is None:
            return None
        try:
            connector = open_connector(self.crm, self.directory, self.state)
        except ConfigurationError as fault:
            raise self._told(fault.findings) from fault
        return Crm(connector, self.crm.country, self.crm.patience_s)

    def open_web_services(self) -> dict[str, OpenService]:
        """The web services that flows may ask. Raises ConfigurationError if a secret cannot be read."""
        try:
            return open_services(self.settings.http, self.directory)
        except ConfigurationError as fault:
            raise self._told(fault.findings) from fault

    def check_outside_world(self) -> None:
        """Look at everything beside the YAML files: secrets, certificates, scripts. Raises ConfigurationError for
        what cannot be read or imported. Starts processes; not within a running loop.
        """
        findings = unreadable_files(self.crm, self.directory) if self.crm is not None else []
        findings += outside_faults(self.settings, self.directory)
        if findings:
            raise self._told(findings)

    def _told(self, findings: Sequence[Finding]) -> ConfigurationError:
        return ConfigurationError([_as_written(finding, self.directory, self.written) for finding in findings])

    def prompts(self) -> list[Prompt]:
        """Every prompt of every flow in every language, and what is spoken in queues."""
        of_flows = [prompt for flow in self.house.flows.values() for prompt in flow.all_prompts()]
        return of_flows + queue_prompts(self.plan)


def load_configuration(
    directory: Path,
    files_root: Path | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    need_secrets: bool = True,
) -> Configuration:
    """Load a configuration directory.

    files_root: read the YAML files there instead (a kept copy); prompts and secrets stay in `directory`, and
    findings name the files there too, below `directory` as it is given here.
    Raises ConfigurationError with every fault found.
    """
    written, directory = directory, directory.absolute()
    root = files_root or directory
    findings: list[Finding] = []
    settings = _collect(findings, lambda: load_settings(root, environment))
    numbers = _collect(findings, lambda: load_numbers(root))
    plan = _collect(findings, lambda: load_floor_plan(root))
    crm = _collect(findings, lambda: (load_crm(root),))
    flows = _collect(findings, lambda: load_flows(root / "flows", _surroundings(settings, plan, crm)))
    if flows is not None and not flows:
        hint = "write one into a file there, for instance flows/welcome.yaml"
        findings.append(Finding(str(root / "flows"), 1, 1, "no-flows", "there is no flow", hint))
    if plan is not None and settings is not None:
        findings += callback_findings(root, plan, settings[0], flows)
        findings += reach_findings(root, plan, settings[0].reach())
    if settings is not None:
        findings += unreachable_devices(*settings)
    findings += _unread_files(root)
    if numbers is not None:
        findings += _unknown_flows(*numbers, written_names(root / "flows") if flows is None else flows)
        findings += _undialled_numbers(*numbers)
    if numbers is not None and flows is not None:
        findings += _flows_with_params(*numbers, flows)
    if flows is not None:
        findings += [warning for flow in flows.values() for warning in flow.warnings]
    errors, warnings = split(_as_written(finding, root, written) for finding in findings)
    if errors or settings is None or numbers is None or flows is None or plan is None or crm is None:
        raise ConfigurationError(errors, warnings)
    if need_secrets and settings[0].database.password is not None:
        _secret(settings[0].database.password, ("database", "password"), settings[1], written, environment)
    house = House(flows, numbers[0], settings[0].voicemail)
    state = (directory / settings[0].state).absolute()
    return Configuration(
        directory=directory,
        written=written,
        files=(*sorted(root.glob("*.yaml")), *sorted((root / "flows").glob("*.yaml"))),
        settings=settings[0],
        house=house,
        plan=replace(with_ways(plan, settings[0].reach()), zone=ZoneInfo(settings[0].zone)),
        crm=crm[0],
        library=PromptLibrary(directory / "prompts", state / "prompts", voices_of(settings[0].voice)),
        ami_secret=_switch_secret("asterisk", *settings, written, environment) if need_secrets else "",
        event_socket_secret=_switch_secret("freeswitch", *settings, written, environment) if need_secrets else "",
        warnings=tuple(warnings),
    )


def _unread_files(root: Path) -> Iterator[Finding]:
    """Files that somebody may take for a part of the configuration, and that nothing reads."""
    named = [root / f"{name}.yml" for name in ("cordboard", "numbers", "queues", "agents", "crm")]
    for path in (*filter(Path.is_file, named), *sorted((root / "flows").glob("*.yml"))):
        message = f"{path.name} is not read: only files that end in .yaml are"
        yield Finding(str(path), 1, 1, "file-not-read", message, f"rename it to {path.stem}.yaml", "warning")


def read_surroundings(directory: Path, environment: Mapping[str, str] = os.environ) -> Surroundings | None:
    """What a flow of this directory is checked against; None if cordboard.yaml has faults."""
    directory, ignored = directory.absolute(), list[Finding]()
    settings = _collect(ignored, lambda: load_settings(directory, environment))
    plan = _collect(ignored, lambda: load_floor_plan(directory))
    crm = _collect(ignored, lambda: (load_crm(directory),))
    return _surroundings(settings, plan, crm)


def _switch_secret(
    switch: SwitchName, settings: Settings, document: Document, directory: Path, environment: Mapping[str, str]
) -> str:
    """The secret of the link to a switch, "" if no calls come in on it. Raises ConfigurationError."""
    if switch not in settings.switches:
        return ""
    if switch == "asterisk":
        reference, way = settings.asterisk.ami.secret, ("asterisk", "ami", "secret")
    else:
        reference, way = settings.freeswitch.event_socket.secret, ("freeswitch", "event_socket", "secret")
    return _secret(reference, way, document, directory, environment)


def _secret(
    reference: SecretReference, way: Keys, document: Document, directory: Path, environment: Mapping[str, str]
) -> str:
    """A secret. way: where it is referred to. Raises ConfigurationError with that place."""
    try:
        return read_secret(reference, directory, environment)
    except ConfigurationError as fault:
        file, place = str(directory / document.file), document.place(way)
        raise ConfigurationError(
            [Finding(file, *place, one.code, one.message, one.hint) for one in fault.findings]
        ) from fault


async def prepare_prompts(configuration: Configuration) -> list[PromptState]:
    """Make every prompt playable; returns those that cannot be played."""
    return await configuration.library.prepare(configuration.prompts())


def restart_needed(before: Settings, after: Settings) -> list[str]:
    """The settings that were changed and that a reload does not take up."""
    return [name for name in NEED_RESTART if getattr(before, name) != getattr(after, name)]


def _as_written(finding: Finding, root: Path, directory: Path) -> Finding:
    """A finding in a file below `root`, perhaps a kept copy, as one in the file which the admin wrote."""
    path = Path(finding.file)  # of some loaders relative already
    return replace(finding, file=str(directory / (path.relative_to(root) if path.is_relative_to(root) else path)))


def _collect(findings: list[Finding], load: Callable[[], T]) -> T | None:
    """What `load` returns; its faults go on the list instead of ending everything."""
    try:
        return load()
    except ConfigurationError as fault:
        findings.extend((*fault.findings, *fault.warnings))
        return None


def _surroundings(
    settings: tuple[Settings, Document] | None, plan: FloorPlan | None, crm: tuple[CrmSettings | None] | None
) -> Surroundings | None:
    """What flows are checked against; None where the settings are faulty themselves. crm: None if its file is."""
    if settings is None:
        return None
    boxes = {
        name: MessageBox(name, folder=box.folder or "", mailbox=box.mailbox or "")
        for name, box in settings[0].voicemail.items()
    }
    return Surroundings(
        dial_policy=settings[0].dial_policy(),
        voicemail_boxes=boxes,
        zone=settings[0].zone,
        switches=settings[0].switches,
        reach=settings[0].reach(),
        queues=frozenset(plan.queues) if plan is not None else None,
        not_for_calls=frozenset(plan.not_for_calls) if plan is not None else frozenset(),
        agents={name: agent.device for name, agent in plan.agents.items()} if plan is not None else None,
        pause_reasons=frozenset(plan.pause_reasons) if plan is not None else None,
        dispositions=frozenset(chain.from_iterable(queue.dispositions for queue in plan.queues.values()))
        if plan is not None
        else None,
        queue_skills=queue_skills(plan) if plan is not None else None,
        destinations=settings[0].transfers,
        country=settings[0].country or "",
        **shown_to_flows(settings[0]),
        **_of_crm(crm),
    )


def _of_crm(crm: tuple[CrmSettings | None] | None) -> dict[str, Any]:
    """What flows may ask of the CRM."""
    if crm is None:
        return {"customer_fields": None}
    if crm[0] is None:
        return {}
    return {"customer_fields": crm[0].kinds, "lookup_timeout_s": crm[0].timeout_s}


def _unknown_flows(numbers: Numbers, document: Document, flows: Collection[str]) -> list[Finding]:
    """Numbers which lead to a flow that does not exist."""
    known = f"known: {', '.join(sorted(flows)) or 'none yet'}"
    return [
        document.finding(path, "unknown-flow", f"there is no flow `{flow}`", closest(flow, flows) or known)
        for path, flow in _flows_named(numbers)
        if flow not in flows
    ]


def _flows_named(numbers: Numbers) -> Iterator[tuple[tuple[str, ...], str]]:
    """The flows that numbers lead to, each with its place in the file."""
    yield from ((("numbers", dnis), flow) for dnis, flow in numbers.numbers.items())
    if numbers.default is not None:
        yield ("default",), numbers.default


def _flows_with_params(numbers: Numbers, document: Document, flows: Mapping[str, Flow]) -> Iterator[Finding]:
    """Numbers which lead to a flow that only another flow can begin."""
    hint = "let the number lead to a flow which calls it with `subflow`"
    for path, name in _flows_named(numbers):
        if name in flows and flows[name].params:
            message = f"`{name}` cannot begin without its parameters"
            yield document.finding(path, "flow-needs-params", message, hint)


_UNDIALLED = re.compile(r"\+?[0-9 ().-]*[ ().-][0-9 ().-]*")


def _undialled_numbers(numbers: Numbers, document: Document) -> Iterator[Finding]:
    """Numbers written as people write them: no switch sends blanks and brackets, so no call ever has them."""
    for dnis in numbers.numbers:
        if _UNDIALLED.fullmatch(dnis):
            plain = re.sub(r"[ ().-]", "", dnis)
            message, hint = f"no call comes to `{dnis}`: numbers have no blanks, dots or dashes", f'write "{plain}"'
            yield document.finding(
                ("numbers", dnis), "undialled-number", message, hint, key=True, severity="warning"
            )
