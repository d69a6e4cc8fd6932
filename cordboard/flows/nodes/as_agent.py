"""`as_agent`: lets an agent who calls in do what others do at the desk: log in, be ready, pause, dispose, log out.

    by_number: {as_agent: log_in, by: ani, next: welcome, otherwise: ask_code}
    by_code:   {as_agent: log_in, by: code, code: code, pin: pin, next: welcome, otherwise: wrong}
    ready:     {as_agent: ready, next: done}
    lunch:     {as_agent: pause, reason: lunch, next: done, otherwise: no_room}
    sold:      {as_agent: dispose, disposition: sold, next: done}
    more_time: {as_agent: extend, next: done}
    leave:     {as_agent: log_out, next: bye}

For volunteers and agents far away, who have a telephone and no desk. A `log_in` comes first: it finds out who
calls, by one of the `numbers` of `agents.yaml` or by the `code` there, and by the PIN that `cordboard agent pin`
sets. `code` names the variable of a gather, `pin` that of a gather with `secret: true`. A caller's number can be
forged from outside: where that matters, ask for the PIN as well. After five wrong PINs an agent has to wait for
some minutes.

Who was logged out is paused after `log_in`, until `ready`; others stay what they are. `dispose` is about the call
the agent has, or has had last, an hour ago at most; it ends the wrap-up. `extend` asks for more time for it.

What came of it is kept: `agent.name` ("" if nobody was found), `agent.full_name`, `agent.presence` (`available`,
`paused`, `logged_out`), `agent.reason`, `agent.wraps_up` (a call of theirs waits for a disposition) and
`agent.refused`: "", `unknown` (no such code or PIN), `too_many`, `full` (as many as may are in that pause),
`not_possible` (no call to dispose), `no_store`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cordboard.config.kinds import EMPTY
from cordboard.config.validation import Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Kind, Value
from cordboard.flows.node import Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Declaration, NodeOptions, Target, VariableName
from cordboard.telephony.outcomes import ActedAsAgent, AgentRefused, Outcome
from cordboard.telephony.verbs import ActAsAgent, AgentAction

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_ACTING = "acting"
_KINDS: Mapping[str, Kind] = {
    "name": "string", "full_name": "string", "presence": "string", "reason": "string", "wraps_up": "bool",
    "refused": "string",
}  # fmt: skip
# Which option goes with which action, and whether that needs it.
_OWN: Mapping[str, tuple[AgentAction, bool]] = {
    "by": ("log_in", True), "code": ("log_in", False), "pin": ("log_in", False), "reason": ("pause", False),
    "disposition": ("dispose", True),
}  # fmt: skip


class AsAgentOptions(NodeOptions):
    """Lets an agent who calls in log in, be ready, pause, dispose of a call, log out."""

    verb: ClassVar[str] = "as_agent"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True

    as_agent: AgentAction = Field(
        description="What to do: `log_in`, `ready`, `pause`, `dispose`, `extend` or `log_out`."
    )
    by: Literal["ani", "code"] | None = Field(
        None, description="How `log_in` finds the agent: by the caller's number, or by a code that was keyed in."
    )
    code: Text | None = Field(None, description="The variable with the code.")
    pin: Text | None = Field(None, description="The secret variable with the PIN; needed with a code.")
    reason: Text | None = Field(
        None, description="The reason of a `pause`, one of `pause_reasons`; none without it."
    )
    disposition: Text | None = Field(None, description="The result to `dispose` with, one of the queue's.")
    save: VariableName = Field("agent", description="The name that who it is and what came of it are kept under.")
    next: Target = Field(description="Where when it is done.")
    otherwise: Target | None = Field(None, description="Where if it cannot be; `on_failure` without it.")

    @model_validator(mode="after")
    def _fits_its_action(self) -> Self:
        for name, (action, is_needed) in _OWN.items():
            is_given = getattr(self, name) is not None
            if is_given and self.as_agent != action:
                raise fault("no-effect", f"`{name}` means nothing with `as_agent: {self.as_agent}`", "take it out")
            if is_needed and not is_given and self.as_agent == action:
                raise fault("missing-key", f"`{name}` is missing", f"add `{name}:`")
        self._check_log_in()
        return self

    def _check_log_in(self) -> None:
        if self.by == "code":
            for name in ("code", "pin"):
                if getattr(self, name) is None:
                    raise fault(
                        "missing-key", f"`{name}` is missing: a code alone proves nothing", f"add `{name}:`"
                    )
        elif self.code is not None:
            raise fault("no-effect", "`code` means nothing with `by: ani`", "take it out, or write `by: code`")

    def declares(self) -> Iterator[Declaration]:
        """Who it is, and what came of it."""
        if self.as_agent == "log_in":
            for name, kind in _KINDS.items():
                yield Declaration(f"{self.save}.{name}", ("save",), kind=kind, is_extra=True)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node, with what it names looked up."""
        self._check_names(compiler)
        return AsAgentNode(
            action=self.as_agent,
            code=self.code and compiler.variable(self.code, "code"),
            pin=self.pin and compiler.secret(self.pin, "pin"),
            value=self.reason or self.disposition or "",
            save=self.save,
            next=compiler.way(self.next, "next"),
            otherwise=compiler.way(self.otherwise, "otherwise"),
        )

    def _check_names(self, compiler: NodeCompiler) -> None:
        if self.reason is not None:
            compiler.pause_reason(self.reason, "reason")
        if self.disposition is not None:
            compiler.disposition(self.disposition, "disposition")
        if self.as_agent != "log_in" and f"{self.save}.name" not in compiler.names.variables:
            hint = f"a node with `as_agent: log_in` that keeps `{self.save}` has to come before"
            compiler.report(("as_agent",), "nobody-logged-in", "nothing says which agent it is", hint)


@dataclass(frozen=True, slots=True)
class AsAgentNode(Node):
    """Asks the service, keeps what came of it, goes on. code, pin: variables; value: a reason or a disposition."""

    action: AgentAction
    code: str | None
    pin: str | None
    value: str
    save: str
    next: Go
    otherwise: Go | None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Do it; after a crash again, which changes nothing where it was done."""
        if self.action == "log_in":
            code = str(run.variables.get(self.code, "")) if self.code else ""
            return Ask(ActAsAgent("log_in", code=code, pin=self._digits(run)), _ACTING)
        agent = str(run.variables.get(f"{self.save}.name", ""))
        return Ask(ActAsAgent(self.action, agent, value=self.value), _ACTING) if agent else self._refused("unknown")

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Keep what the service says."""
        match outcome:
            case ActedAsAgent():
                return self.next.keeping(self._kept(outcome))
            case AgentRefused(reason):
                return self._refused(reason)
        raise unexpected(outcome)

    def _kept(self, done: ActedAsAgent) -> dict[str, Value]:
        told: dict[str, Value] = {
            "name": done.agent,
            "full_name": done.full_name,
            "presence": done.presence,
            "reason": done.reason,
            "wraps_up": done.wraps_up,
            "refused": "",
        }
        return {f"{self.save}.{name}": value for name, value in told.items()}

    def _refused(self, reason: str) -> Go:
        """Who could not log in is nobody; others stay who they are."""
        if self.otherwise is None:
            raise NodeFailed(f"`as_agent: {self.action}` was refused ({reason}), and `otherwise` is not given")
        forgotten = _KINDS if self.action == "log_in" else {}
        empty: dict[str, Value] = {f"{self.save}.{name}": EMPTY[kind] for name, kind in forgotten.items()}
        return self.otherwise.keeping({**empty, f"{self.save}.refused": reason}, "")

    def _digits(self, run: FlowRun) -> str | None:
        if self.pin is None:
            return None
        secret = run.secrets.get(self.pin)
        if secret is None:
            raise NodeFailed(f"the secret `{self.pin}` has no value yet")
        return secret.digits


OPTIONS = AsAgentOptions
