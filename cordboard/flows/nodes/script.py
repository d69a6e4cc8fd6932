"""`script`: runs a Python function of your own, and keeps what it returns.

    price:
      script: price
      with: {order: {cel: order_no}}
      secrets: {pin: pin}
      save: quote
      next: tell
      on_error: sorry

`cordboard.yaml` says which function `price` is, what it takes and returns, and how long it may take (`scripts`). It
runs in a process of its own: it can be killed, and can neither freeze nor harm a call. What it returns is kept
behind a dot: `quote.price`. `secrets` names secret variables for those of its parameters that may see them; nothing
else in a flow can. Where it fails the values are empty: "", 0 or false. The caller hears nothing meanwhile. If the
process that holds the call is lost while the script runs, the next one runs it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from cordboard.config.kinds import EMPTY
from cordboard.config.validation import Text, closest
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Kind, Value
from cordboard.flows.node import Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Computed, Declaration, NodeOptions, Target, VariableName
from cordboard.flows.passing import Given, compile_given
from cordboard.flows.surroundings import ScriptShape
from cordboard.telephony.outcomes import Outcome, ScriptEnded, ScriptFailed
from cordboard.telephony.verbs import RunScript

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

_RUNNING = "running"
_TYPES: Mapping[str, type] = {"string": str, "int": int, "double": float, "bool": bool}


class ScriptOptions(NodeOptions):
    """Runs a Python function of your own, and keeps what it returns."""

    verb: ClassVar[str] = "script"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True

    script: Text = Field(description="The script, by its name in `cordboard.yaml`.")
    with_: dict[str, Computed] = Field(
        default_factory=dict, alias="with", description="A value, or `{cel: ...}`, for each of its `params`."
    )
    secrets: dict[str, Text] = Field(
        default_factory=dict, description="A secret variable for each of the script's own `secrets`."
    )
    save: VariableName | None = Field(
        default=None, description="The name that what it returns is kept under; nothing is kept without one."
    )
    timeout_s: Annotated[float, Field(gt=0, le=10)] | None = Field(
        default=None, description="How long it may take; as `cordboard.yaml` says without it."
    )
    next: Target = Field(description="Where when it has returned.")
    on_error: Target | None = Field(
        default=None, description="Where if it fails or takes too long; `on_failure` without it."
    )

    def declares(self) -> Iterator[Declaration]:
        """What the script returns."""
        if self.save is not None:
            yield Declaration(self.save, ("save",), returned_by=("script", self.script))

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node, with its arguments checked against what the script wants."""
        compiler.need_on_error(self.on_error, "a script that fails")
        shape = compiler.script(self.script, "script")
        self._check_secrets(compiler, shape)
        returns = shape.returns if shape is not None else {}
        return ScriptNode(
            script=self.script,
            timeout_s=self.timeout_s or (shape or ScriptShape({}, {})).timeout_s,
            given=compile_given(compiler, "with", self.with_, shape.params if shape else None, "parameter"),
            secrets=self.secrets,
            returns={f"{self.save}.{name}": kind for name, kind in returns.items()} if self.save else {},
            next=compiler.way(self.next, "next"),
            on_error=compiler.way(self.on_error, "on_error"),
        )

    def _check_secrets(self, compiler: NodeCompiler, shape: ScriptShape | None) -> None:
        wanted = shape.secrets if shape is not None else frozenset(self.secrets)
        for name in sorted(wanted - self.secrets.keys()):
            hint = f"add `secrets: {{{name}: ...}}` and the name of a secret variable"
            compiler.report(("script",), "missing-parameter", f"the secret parameter `{name}` is missing", hint)
        for name, variable in self.secrets.items():
            if name not in wanted:
                hint = closest(name, wanted) or f"known: {', '.join(sorted(wanted)) or 'none'}"
                compiler.report(
                    ("secrets", name), "unknown-parameter", f"there is no secret parameter `{name}`", hint
                )
            compiler.secret(variable, "secrets", name)


@dataclass(frozen=True, slots=True)
class ScriptNode(Node):
    """Runs and keeps. secrets: variables by parameter; returns: the variables it sets, with types."""

    script: str
    timeout_s: float
    given: Given
    secrets: Mapping[str, str]
    returns: Mapping[str, Kind]
    next: Go
    on_error: Go | None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Run it. A secret that nobody has keyed yet breaks the node."""
        secrets = tuple((name, _digits(run, variable)) for name, variable in self.secrets.items())
        arguments = tuple(self.given.values(run, now).items())
        return Ask(RunScript(self.script, self.timeout_s, arguments, secrets), _RUNNING)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Keep what came back; conditions behind an error see nothing of an earlier run."""
        match outcome:
            case ScriptEnded(values):
                return self.next.keeping(self._kept(values))
            case ScriptFailed() if self.on_error:
                return self.on_error.keeping(self._kept({}))
            case ScriptFailed(reason):
                raise NodeFailed(f"the script `{self.script}` failed: {reason}")
        raise unexpected(outcome)

    def _kept(self, told: Mapping[str, Value]) -> dict[str, Value]:
        """All variables, each of its type even if the settings have changed since this flow was loaded."""
        kept: dict[str, Value] = {}
        for variable, kind in self.returns.items():
            value = told.get(variable.partition(".")[2])
            kept[variable] = value if type(value) is _TYPES[kind] else EMPTY[kind]  # type: ignore[assignment]
        return kept


def _digits(run: FlowRun, variable: str) -> str:
    secret = run.secrets.get(variable)
    if secret is None:
        raise NodeFailed(f"the secret `{variable}` has no value yet")
    return secret.digits


OPTIONS = ScriptOptions
