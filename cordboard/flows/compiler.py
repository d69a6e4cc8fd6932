"""What a node's options need while they are compiled: everything a flow may name, looked up, with findings for
what is not there.

Made by the loader for each node, passed to `NodeOptions.compile`. Where a lookup fails it reports and returns a
stand-in, so that the faults behind it are found in the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, overload
from zoneinfo import ZoneInfo

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.config.validation import closest
from cordboard.flows.conditions import Expression, ExpressionRefused, Kind, Scope, words_for_kind
from cordboard.flows.node import Go
from cordboard.flows.options import exit_label
from cordboard.flows.speaking.choosing import Speaking
from cordboard.flows.speaking.kinds import SpokenKind
from cordboard.flows.speaking.rules import Rule, SayRefused
from cordboard.flows.speech import Piece, Speech
from cordboard.flows.surroundings import MessageBox, ScriptShape, SubflowShape, Surroundings
from cordboard.flows.uses import Use, Uses, names_in
from cordboard.flows.variables import customer_kinds
from cordboard.telephony.dial_policy import PLACEHOLDER, DialPolicy
from cordboard.telephony.reach import Reach, switch_of
from cordboard.telephony.verbs import AgentDevice, Destination, Extension, OutsideNumber, Prompt

_T = TypeVar("_T")

_NO_EXTENSION = Extension("", "")
_NO_NUMBER = OutsideNumber("", "")


@dataclass(frozen=True, slots=True)
class FlowNames:
    """Everything the nodes of one flow may refer to.

    nodes: the names of all nodes, faulty ones included; scope: None while variables are not known for sure.
    speaking: how values are spoken here. pieces: of the prompts with values in them; all others are played as they
    are.
    returns: what the flow gives to those that call it; None if none can.
    uses, words: filled in while the nodes are compiled; words: of the values that they speak by themselves.
    """

    document: Document
    surroundings: Surroundings
    languages: tuple[str, ...]
    zone: ZoneInfo
    nodes: Collection[str]
    prompts: Mapping[str, Mapping[str, Prompt]]
    flows: frozenset[str]
    variables: Mapping[str, Kind]
    secrets: frozenset[str]
    scope: Scope | None
    speaking: Speaking
    pieces: Mapping[Prompt, tuple[Piece, ...]] = field(default_factory=dict)
    words: dict[Prompt, None] = field(default_factory=dict)
    uses: Uses = field(default_factory=Uses)
    returns: Mapping[str, Kind] | None = None


@dataclass(frozen=True, slots=True)
class NodeCompiler:
    """Lookups for one node. In every method `keys` is the way, within the node, to what an admin wrote."""

    names: FlowNames
    node: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def languages(self) -> tuple[str, ...]:
        """The flow's languages."""
        return self.names.languages

    @property
    def dial_policy(self) -> DialPolicy:
        """For extensions and numbers known only in the call."""
        return self.names.surroundings.dial_policy

    def report(self, keys: Keys, code: str, message: str, hint: str = "", *, key: bool = False) -> None:
        """A fault at a place of this node: at the value there, or at its key."""
        self.findings.append(self.names.document.finding(self._way(keys), code, message, hint, key=key))

    def target(self, name: str | None, *keys: str | int) -> str:
        """A node to go to; "" stays for a target that was left out."""
        if name is not None and name not in self.names.nodes:
            self._unknown("node", name, self.names.nodes, keys)
        return name or ""

    @overload
    def way(self, name: str, *keys: str | int) -> Go: ...

    @overload
    def way(self, name: str | None, *keys: str | int) -> Go | None: ...

    def way(self, name: str | None, *keys: str | int) -> Go | None:
        """The way to a node; None stays for one that was left out."""
        return None if name is None else Go(self.target(name, *keys), exit_label(keys))

    def prompts(self, names: Sequence[str], *keys: str | int) -> Mapping[str, tuple[Prompt, ...]]:
        """Prompts one after the other, by language. A list's entries are looked up each at its own place."""
        known = self.names.prompts
        for number, name in enumerate(names):
            if name not in known:
                self._unknown("prompt", name, known, self._entry(keys, number))
        self.names.uses.prompts += [Use(self.node, keys, name) for name in names]
        found = [known[name] for name in names if name in known]
        return {tongue: tuple(one[tongue] for one in found if tongue in one) for tongue in self.languages}

    def speech(self, names: Sequence[str], *keys: str | int) -> Speech:
        """Prompts one after the other, with the values in them: what a node has to say, in every language."""
        by_language = self.prompts(names, *keys)
        pieces = self.names.pieces
        return Speech(
            {
                tongue: tuple(piece for prompt in prompts for piece in pieces.get(prompt, (prompt,)))
                for tongue, prompts in by_language.items()
            }
        )

    def rules(self, kind: SpokenKind, value_kind: Kind, *keys: str | int, detail: str = "") -> Mapping[str, Rule]:
        """How values of a type are spoken, by language. detail: the currency of money, the gender of numbers.

        Languages that cannot are reported and left out.
        """
        speaking, rules = self.names.speaking, {}
        try:
            how = speaking.how(kind, detail)
            for tongue in self.languages:
                rules[tongue] = speaking.rule(how, value_kind, tongue)
                self.names.words.update(dict.fromkeys(rules[tongue].words))
        except SayRefused as refused:
            self.report(keys, refused.code, refused.message, refused.hint)
        return rules

    def per_language(self, make: Callable[[str], _T]) -> Mapping[str, _T]:
        """Something for each language, made once here instead of in every call."""
        return {tongue: make(tongue) for tongue in self.languages}

    def language(self, name: str, *keys: str | int) -> str:
        """A language of the flow."""
        if name not in self.languages:
            self._unknown("language", name, self.languages, keys)
        return name

    def expression(self, text: str, *keys: str | int, kinds: tuple[Kind, ...]) -> Expression:
        """A compiled expression which gives one of `kinds`."""
        stand_in = Expression(text, kinds[0], None)
        self._note_names(text, keys)
        if self.names.scope is None:
            return stand_in
        try:
            expression = self.names.scope.compile(text)
        except ExpressionRefused as refused:
            self.names.uses.is_complete = False
            self.findings.append(refusal(self.names.document, self._way(keys), refused))
            return stand_in
        if expression.kind not in kinds:
            wanted = " or ".join(words_for_kind(kind) for kind in kinds)
            self.report(keys, "expression-type", f"this gives {words_for_kind(expression.kind)}, not {wanted}")
        return expression

    def extension(self, text: str, *keys: str | int) -> Extension:
        """What an extension rings, if the dial policy allows it."""
        target = self.dial_policy.resolve(text)
        if target is None and self.names.surroundings.is_known:
            allowed = ", ".join(rule.pattern for rule in self.dial_policy.rules) or "none"
            self.report(keys, "extension-refused", f"the dial policy does not allow {text}", f"allowed: {allowed}")
        return target or _NO_EXTENSION

    def number(self, text: str, *keys: str | int) -> OutsideNumber:
        """What a number of the telephone network rings, if the dial policy allows it."""
        target = self.dial_policy.resolve_number(text)
        if target is None and self.names.surroundings.is_known:
            message = f"the dial policy does not allow the number {text}"
            hint = "write it with + and country code, and see `outside` in cordboard.yaml"
            self.report(keys, "number-refused", message, hint)
        return target or _NO_NUMBER

    def pause_reason(self, name: str, *keys: str | int) -> str:
        """A reason for a pause, of `agents.yaml`."""
        reasons = self.names.surroundings.pause_reasons
        if reasons is not None and name not in reasons and self.names.surroundings.is_known:
            self._unknown("pause reason", name, reasons, keys)
        return name

    def disposition(self, name: str, *keys: str | int) -> str:
        """What agents may say came of a call, in any queue of `queues.yaml`."""
        dispositions = self.names.surroundings.dispositions
        if dispositions is not None and name not in dispositions and self.names.surroundings.is_known:
            self._unknown("disposition", name, dispositions, keys)
        return name

    def agent(self, name: str, *keys: str | int) -> AgentDevice:
        """The phone of an agent of `agents.yaml`."""
        agents = self.names.surroundings.agents
        if agents is not None and name not in agents and self.names.surroundings.is_known:
            self._unknown("agent", name, agents, keys)
        return AgentDevice(name, (agents or {}).get(name, ""))

    def destination(self, name: str, *keys: str | int) -> Destination:
        """A place to transfer to, of the settings."""
        places = self.names.surroundings.destinations
        if name not in places and self.names.surroundings.is_known:
            self._unknown("destination", name, places, keys)
        return Destination(name, places.get(name, ""))

    def check_reach(self, device: str, *keys: str | int, is_outside: bool = False) -> None:
        """Report it if callers of a switch could not be joined to a device. is_outside: of the telephone network.

        One that no call can reach is a fault of the settings, not of each flow.
        """
        reach = self.names.surroundings.reach or Reach(switches=())
        one, own = device.replace(PLACEHOLDER, "1"), switch_of(device)
        lacking = [switch for switch in reach.switches if not reach.rings(switch, one, is_outside=is_outside)]
        if not lacking or len(lacking) == len(reach.switches):
            return
        message = f"{lacking[0]} cannot ring `{device}`, which is of {own}"
        hint = f"write `{lacking[0]}: {{reaches: {{{own}: ...}}}}`, a trunk, in cordboard.yaml"
        if is_outside:
            hint = f"numbers outside are dialled by the switch of `outside: device`, for callers of {own}"
        self.report(keys, "switch-lacks", message, hint)

    def variable(self, name: str, *keys: str | int) -> str:
        """A variable of the flow that is no secret."""
        self.note_variable(name, *keys)
        if name in self.names.secrets:
            self.report(keys, "secret-used", f"`{name}` is secret and cannot be used here")
        elif (scope := self.names.scope) and name not in self.names.variables.keys() | scope.unclear:
            self._unknown("variable", name, self.names.variables, keys)
        return name

    def note_variable(self, name: str, *keys: str | int) -> None:
        """Tell `lint` that the node uses a variable, where it is looked up by no other method."""
        self.names.uses.variables.append(Use(self.node, keys, name))

    def _note_names(self, expression: str, keys: Keys) -> None:
        self.names.uses.expressions.append(Use(self.node, keys, expression))
        mentioned = names_in(expression, self.names.variables, self.names.secrets)
        self.names.uses.variables += [Use(self.node, keys, name, offset) for name, offset in mentioned]

    def box(self, name: str, *keys: str | int) -> MessageBox:
        """A voicemail box of the settings."""
        boxes = self.names.surroundings.voicemail_boxes
        if name not in boxes and self.names.surroundings.is_known:
            self._unknown("voicemail box", name, boxes, keys)
        return boxes.get(name, MessageBox(name))

    def queue(self, name: str, *keys: str | int) -> str:
        """A queue of `queues.yaml`."""
        queues = self.names.surroundings.queues
        if queues is not None and name not in queues and self.names.surroundings.is_known:
            self._unknown("queue", name, queues, keys)
        if name in self.names.surroundings.not_for_calls:
            hint = "name another queue, or write `medium: voice` in queues.yaml"
            self.report(keys, "not-for-calls", f"`{name}` is a queue for something else than calls", hint)
        return name

    def customer(self, name: str, *keys: str | int) -> Mapping[str, Kind]:
        """What a look-up that is kept under `name` gives, as variables with types."""
        fields = self.names.surroundings.customer_fields
        if fields == {} and self.names.surroundings.is_known:
            self.report(keys, "no-crm", "there is no CRM to ask", "say in crm.yaml where customers are kept")
        return customer_kinds(name, fields or {})

    @property
    def has_on_failure(self) -> bool:
        """Whether the flow says where to go on when a node breaks."""
        data = self.names.document.data
        return isinstance(data, dict) and bool(data.get("on_failure"))

    def flow(self, name: str, *keys: str | int) -> str:
        """Another flow, to go to for good."""
        shape = self.names.surroundings.subflows.get(name)
        if name not in self.names.flows:
            self._unknown("flow", name, self.names.flows, keys)
        elif shape is not None and shape.params:
            hint = f"call it: `subflow: {name}`, with {', '.join(shape.params)}"
            self.report(keys, "flow-needs-params", f"`{name}` cannot begin without its parameters", hint)
        return name

    def subflow(self, name: str, *keys: str | int) -> SubflowShape | None:
        """What a flow that is called wants and gives; None if it cannot be called."""
        shape = self.names.surroundings.subflows.get(name)
        if shape is None and name not in self.names.flows:
            self._unknown("flow", name, self.names.flows, keys)
        elif shape is None:
            hint = "write `params` or `returns` into its frame, `returns: {}` for nothing; or use `goto`"
            self.report(keys, "not-callable", f"the flow `{name}` cannot be called: it never comes back", hint)
        else:
            for language in [one for one in self.languages if one not in shape.languages]:
                hint = f"it speaks {', '.join(shape.languages)}"
                self.report(keys, "subflow-language", f"the flow `{name}` does not speak `{language}`", hint)
        return shape

    def web_service(self, name: str, *keys: str | int) -> float:
        """How long a web service of the settings may take, in seconds."""
        services = self.names.surroundings.http_services
        if name not in services and self.names.surroundings.is_known:
            self._unknown("web service", name, services, keys)
        return services.get(name, 1.0)

    def script(self, name: str, *keys: str | int) -> ScriptShape | None:
        """A script of the settings; None if there is none of that name."""
        scripts = self.names.surroundings.scripts
        if name not in scripts and self.names.surroundings.is_known:
            self._unknown("script", name, scripts, keys)
        return scripts.get(name)

    def secret(self, name: str, *keys: str | int) -> str:
        """A variable whose digits are kept in memory only."""
        self.note_variable(name, *keys)
        if name not in self.names.secrets and self.names.scope is not None:
            hint = closest(name, self.names.secrets) or "a gather with `secret: true` makes one"
            self.report(keys, "not-secret", f"there is no secret variable `{name}`", hint)
        return name

    def need_on_error(self, on_error: str | None, who: str) -> None:
        """Report that neither the node nor the flow says where to go when the outside world fails."""
        if on_error is None and not self.has_on_failure:
            hint = "add `on_error:` here, or `on_failure:` to the flow"
            self.report((), "no-on-error", f"nothing is said for {who}", hint)

    def _unknown(self, what: str, name: str, known: Collection[str], keys: Keys) -> None:
        self.names.uses.is_complete = False
        hint = closest(name, known) or f"known: {', '.join(sorted(known)) or 'none'}"
        self.report(keys, f"unknown-{what.replace(' ', '-')}", f"there is no {what} `{name}`", hint)

    def _entry(self, keys: Keys, number: int) -> Keys:
        """The way to one entry, if a list was written; to the only value otherwise."""
        entry = (*keys, number)
        return entry if self.names.document.has(self._way(entry)) else keys

    def _way(self, keys: Keys) -> Keys:
        return ("nodes", self.node, *keys)


def refusal(document: Document, way: Keys, refused: ExpressionRefused) -> Finding:
    """The finding of an expression that was refused, at its very character where that can be told."""
    place = document.place_in(way, refused.line, refused.column)
    return Finding(document.file, *place, refused.code, refused.message, refused.hint)
