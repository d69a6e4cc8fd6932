"""`lookup`: asks the CRM who is calling, and keeps the answer as `customer`.

    who:   {lookup: crm, next: tier, on_error: menu}
    whose: {lookup: crm, by: {cel: "digits"}, save: customer, timeout_s: 2, next: tier, on_error: menu}

The question about the caller was asked when the call arrived; this waits for the answer. `customer.found` says
whether there is a customer, `customer.matches` how many have the number (the one updated last is kept), and the
fields of crm.yaml follow: `customer.tier`. Without a customer, and without an answer, they are empty: "", 0, false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind, Value
from cordboard.flows.node import Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Declaration, Formula, NodeOptions, Target
from cordboard.telephony.outcomes import LookedUp, NotLookedUp, Outcome
from cordboard.telephony.verbs import LookUp

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_LOOKING_UP = "looking_up"
_EMPTY: dict[Kind, Value] = {"string": "", "int": 0, "double": 0.0, "bool": False}
_TYPES: dict[Kind, type] = {"string": str, "int": int, "double": float, "bool": bool}


class LookupOptions(NodeOptions):
    """Waits for what the CRM says about the caller, and keeps it as `customer`."""

    verb: ClassVar[str] = "lookup"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True

    lookup: Literal["crm"] = Field(description="Who is asked: `crm`.")
    by: Literal["ani"] | Formula = Field(
        "ani",
        description="`ani`, the caller's number, or another, national or with country code: `{cel: ...}`.",
    )
    save: Literal["customer"] = Field("customer", description="The name for what was found; there is this one.")
    timeout_s: Annotated[float, Field(gt=0, le=10)] | None = Field(
        None, description="How long the caller waits, in silence; as crm.yaml says without it."
    )
    next: Target = Field(description="Where then, customer or not.")
    on_error: Target | None = Field(
        None, description="Where if the CRM does not answer in time, or with a fault; `on_failure` without it."
    )

    def declares(self) -> Iterator[Declaration]:
        """Everything a look-up tells."""
        yield Declaration(self.save, ("lookup",), is_customer=True)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its question compiled."""
        if self.on_error is None and not compiler.has_on_failure:
            hint = "add `on_error:` here, or `on_failure:` to the flow"
            compiler.report((), "no-on-error", "nothing is said for a CRM that does not answer", hint)
        return LookupNode(
            by=self._compile_by(compiler),
            timeout_s=self.timeout_s or compiler.names.surroundings.lookup_timeout_s,
            kinds=compiler.customer(self.save, "lookup"),
            prefix=f"{self.save}.",
            next=compiler.way(self.next, "next"),
            on_error=compiler.way(self.on_error, "on_error"),
        )

    def _compile_by(self, compiler: NodeCompiler) -> Expression | None:
        if isinstance(self.by, Formula):
            return compiler.expression(self.by.cel, "by", "cel", kinds=("string",))
        return None


@dataclass(frozen=True, slots=True)
class LookupNode(Node):
    """Asks and keeps. by: None for the caller's own number; kinds: the variables it sets; prefix: "customer."."""

    by: Expression | None
    timeout_s: float
    kinds: Mapping[str, Kind]
    prefix: str
    next: Go
    on_error: Go | None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Ask; a formula that gives no number is a miss, and not a question about the caller."""
        if self.by is None:
            return Ask(LookUp(self.timeout_s), _LOOKING_UP)
        number = self.by.evaluate(run.facts(now)).strip()
        return Ask(LookUp(self.timeout_s, number), _LOOKING_UP) if number else self.next.keeping(self._nobody())

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Keep what was found; conditions behind an error see nobody, instead of somebody asked for before."""
        match outcome:
            case LookedUp():
                return self.next.keeping(self._kept(outcome))
            case NotLookedUp() if self.on_error:
                return self.on_error.keeping(self._nobody())
            case NotLookedUp(reason):
                raise NodeFailed(f"the CRM gave no answer: {reason}")
        raise unexpected(outcome)

    def _nobody(self) -> dict[str, Value]:
        return {name: _EMPTY[kind] for name, kind in self.kinds.items()}

    def _kept(self, found: LookedUp) -> dict[str, Value]:
        """All variables, each of its type even if the CRM's file has changed since this flow was loaded."""
        is_found = found.status in ("found", "several")
        told: dict[str, Value] = (
            {f"{self.prefix}{name}": value for name, value in found.fields.items()} if is_found else {}
        )
        told |= {f"{self.prefix}found": is_found, f"{self.prefix}matches": found.matches if is_found else 0}
        return {
            name: told[name] if type(told.get(name)) is _TYPES[kind] else _EMPTY[kind]
            for name, kind in self.kinds.items()
        }


OPTIONS = LookupOptions
