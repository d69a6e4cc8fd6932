"""`http`: asks a web service, and keeps what it answers.

    order:
      http: orders
      get: "/orders/{order_no}"
      answer: {state: {path: data.state, type: text}, eta: {path: data.eta, type: text, default: ""}}
      save: order
      on_status: {404: unknown_order}
      next: tell
      on_error: sorry
    book:
      http: orders
      post: /bookings
      body: {order: {cel: order_no}, by: phone, caller: {number: {cel: call.ani}}}
      next: done
      on_error: sorry

`orders` is a service of `cordboard.yaml`, which holds its address and its secrets; what is behind `get:` follows
that address. `{order_no}` in a path is a variable. Values are data wherever they stand: they are encoded, and never
lead to another path. A request is made again after a fault that may pass: once where that does no harm (GET, PUT,
DELETE), and as often as `retries` says. A POST or PATCH carries an `Idempotency-Key`, the same for all attempts. If
the process that holds the call is lost while it asks, the next one asks again.

`order.status` is the status of the answer, 0 without one; the values of `answer` follow: `order.state`. What the
answer does not hold is the `default`; without a default that is an error, like a value of another type. Where there
was no answer the values are their defaults, or empty: "", 0 or false. The caller hears nothing meanwhile: a `play`
before says that it takes a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import AfterValidator, Field, JsonValue, model_validator

from cordboard.config.kinds import EMPTY, KINDS, FieldName, KindWord
from cordboard.config.scalars import as_written
from cordboard.config.validation import Section, Text, fault
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.conditions import Expression, Kind, Value, words_for_kind
from cordboard.flows.node import Ask, Go, Move, Node, NodeFailed, unexpected
from cordboard.flows.options import Declaration, Formula, NodeOptions, Target, VariableName, literal
from cordboard.flows.web_request import (
    BODY_MAX_VALUES,
    PathTemplate,
    UnfitValue,
    as_text,
    check_path,
    compile_json,
    compile_path,
    count_values,
    fill_json,
)
from cordboard.telephony.outcomes import HttpAnswered, HttpFailed, Outcome
from cordboard.telephony.verbs import AnswerField, HttpRequest

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_ASKING = "asking"
_METHODS = ("get", "post", "put", "patch", "delete")
_WITH_BODY = frozenset({"post", "put", "patch"})
_REPEATABLE = frozenset({"get", "put", "delete"})
_TYPES: Mapping[str, type] = {"string": str, "int": int, "double": float, "bool": bool}
_KINDS: tuple[Kind, ...] = ("string", "int", "double", "bool")
_STATUS = "status"


def _value_name(name: str) -> str:
    if name == _STATUS:
        raise fault("bad-name", "the status is kept by itself", "remove it, or use another name")
    return name


def _status(text: str) -> str:
    if not (text.isascii() and text.isdecimal() and 200 <= int(text) <= 599):
        raise fault("bad-status", f"`{text}` is no status of an answer", "write for instance 404")
    return text


Path = Annotated[Text, AfterValidator(check_path)]


class AnswerValue(Section):
    """A value of the answer that is kept."""

    path: Annotated[Text, Field(pattern=r"^[^.\s][^\s]*$")] | None = Field(
        default=None, description="Where it is in the answer: `data.orders[0].state`; without one, at its own name."
    )
    type: KindWord = Field(description="What it is: `text`, `whole`, `number` or `yes_no`.")
    default: str | int | float | bool | None = Field(
        default=None, description="The value where the answer has none; without one that is an error."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if self.default is not None and type(self.default_value) is not _TYPES[self.kind]:
            raise fault("wrong-type", f"expected {words_for_kind(self.kind)} as the default", "")
        return self

    @property
    def kind(self) -> Kind:
        """Its type in expressions."""
        return KINDS[self.type]

    @property
    def default_value(self) -> Value | None:
        """The default as its type, as far as it can be taken for it; None without one."""
        if self.default is None or self.kind == "string":
            return cast("str | None", as_written(self.default))
        value = literal(self.default)
        return float(value) if self.kind == "double" and type(value) is int else value


class HttpOptions(NodeOptions):
    """Asks a web service, and keeps what it answers."""

    verb: ClassVar[str] = "http"
    asks: ClassVar[bool] = True
    fails: ClassVar[bool] = True

    http: Text = Field(description="The service to ask, by its name in `cordboard.yaml`.")
    get: Path | None = Field(default=None, description="The path to GET; `{name}` in it is a variable.")
    post: Path | None = Field(default=None, description="The path to POST to.")
    put: Path | None = Field(default=None, description="The path to PUT to.")
    patch: Path | None = Field(default=None, description="The path to PATCH.")
    delete: Path | None = Field(default=None, description="The path to DELETE.")
    query: dict[Annotated[Text, Field(min_length=1)], Text | Formula] = Field(
        default_factory=dict, description="What follows the path behind a `?`: names, and values or `{cel: ...}`."
    )
    body: dict[str, JsonValue] | None = Field(
        default=None, description="What is sent as JSON; `{cel: ...}` in it is worked out."
    )
    answer: Annotated[
        dict[Annotated[FieldName, AfterValidator(_value_name)], AnswerValue], Field(max_length=50)
    ] = Field(
        default_factory=dict, description="The values of the answer that are kept, by the name behind the dot."
    )
    save: VariableName | None = Field(
        default=None, description="The name that status and values are kept under; nothing is kept without one."
    )
    timeout_s: Annotated[float, Field(gt=0, le=10)] | None = Field(
        default=None, description="How long all attempts may take together; as `cordboard.yaml` says without it."
    )
    retries: Annotated[int, Field(ge=0, le=3)] | None = Field(
        default=None, description="Attempts after the first one; without it 1 for GET, PUT and DELETE, else 0."
    )
    next: Target = Field(description="Where with an answer of a status from 200 to 299.")
    on_status: dict[Annotated[Text, AfterValidator(_status)], Target] = Field(
        default_factory=dict, description="Where with answers of these statuses instead: `{404: unknown_order}`."
    )
    on_error: Target | None = Field(
        default=None, description="Where without an answer, or with one of no use; `on_failure` without it."
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        written = [method for method in _METHODS if getattr(self, method) is not None]
        if len(written) != 1:
            known = ", ".join(_METHODS)
            raise fault("one-method", "a request has one method", f"write one of {known}, and the path behind it")
        if self.body is not None and self._method not in _WITH_BODY:
            raise fault("body-with-get", f"a {self._method.upper()} has no body", "write `query:`, or `post:`")
        if count_values(self.body) > BODY_MAX_VALUES:
            raise fault("body-too-big", f"the body has more than {BODY_MAX_VALUES} values")
        if self.answer and self.save is None:
            raise fault("no-save", "nothing is said of where the answer is kept", "add `save:` and a name")
        return self

    @property
    def _method(self) -> str:
        return next(method for method in _METHODS if getattr(self, method) is not None)

    def declares(self) -> Iterator[Declaration]:
        """The status, and each value of the answer."""
        if self.save is not None:
            yield Declaration(f"{self.save}.{_STATUS}", ("save",), "int", is_extra=True)
            for name, value in self.answer.items():
                yield Declaration(f"{self.save}.{name}", ("answer", name), value.kind)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with its formulas compiled."""
        compiler.need_on_error(self.on_error, "a service that does not answer")
        method, retries = self._method, self.retries
        return HttpNode(
            request=HttpRequest(
                method=cast(Method, method.upper()),
                service=self.http,
                path="",
                timeout_s=self.timeout_s or compiler.web_service(self.http, "http"),
                retries=int(method in _REPEATABLE) if retries is None else retries,
                answer=tuple(AnswerField(name, one.path or name, one.kind) for name, one in self.answer.items()),
            ),
            path=compile_path(compiler, getattr(self, method), method),
            query=tuple(self._compile_query(compiler)),
            body=None if self.body is None else compile_json(compiler, self.body, "body"),
            prefix=f"{self.save}." if self.save is not None else "",
            values=self.answer,
            next=compiler.way(self.next, "next"),
            on_status={
                int(status): compiler.way(node, "on_status", status) for status, node in self.on_status.items()
            },
            on_error=compiler.way(self.on_error, "on_error"),
        )

    def _compile_query(self, compiler: NodeCompiler) -> Iterator[tuple[str, str | Expression]]:
        for name, value in self.query.items():
            if isinstance(value, Formula):
                yield name, compiler.expression(value.cel, "query", name, "cel", kinds=_KINDS)
            else:
                yield name, value


@dataclass(frozen=True, slots=True)
class HttpNode(Node):
    """Asks and keeps. request: without what is worked out in the call; prefix: "order.", "" to keep nothing."""

    request: HttpRequest
    path: PathTemplate
    query: tuple[tuple[str, str | Expression], ...]
    body: Any
    prefix: str
    values: Mapping[str, AnswerValue]
    next: Go
    on_status: Mapping[int, Go]
    on_error: Go | None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Ask; with a value that the request cannot take, nobody is asked."""
        facts = run.facts(now)
        try:
            return Ask(self._request(facts), _ASKING)
        except UnfitValue as fault:
            return self._failed(str(fault), 0)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Keep what was answered, and go where the status leads."""
        match outcome:
            case HttpAnswered(status, values):
                return self._answered(status, values)
            case HttpFailed(reason, status):
                return self._failed(reason, status)
        raise unexpected(outcome)

    def _request(self, facts: Mapping[str, Any]) -> HttpRequest:
        request = self.request
        query = tuple(
            (name, value if isinstance(value, str) else as_text(value.evaluate(facts)))
            for name, value in self.query
        )
        return HttpRequest(
            method=request.method,
            service=request.service,
            path=self.path.filled(facts),
            timeout_s=request.timeout_s,
            query=query,
            body=None if self.body is None else fill_json(self.body, facts),
            retries=request.retries,
            answer=request.answer,
        )

    def _answered(self, status: int, told: Mapping[str, Value]) -> Move:
        kept = {
            name: told[name] if type(told.get(name)) is _TYPES[one.kind] else one.default_value
            for name, one in self.values.items()
        }
        if way := self.on_status.get(status):
            return way.keeping(self._kept(status, kept))
        missing = [f"`{self.values[name].path or name}`" for name, value in kept.items() if value is None]
        if missing:
            return self._failed(f"the answer has no {', '.join(missing)}", status)
        return self.next.keeping(self._kept(status, kept))

    def _failed(self, reason: str, status: int) -> Move:
        """Where without an answer that could be used; conditions there see no values of an earlier answer."""
        has_answered = 200 <= status < 300
        way = self.on_error if has_answered else self.on_status.get(status, self.on_error)
        if way is None:
            raise NodeFailed(f"`{self.request.service}` gave no answer: {reason}")
        return way.keeping(self._kept(status, {name: one.default_value for name, one in self.values.items()}))

    def _kept(self, status: int, values: Mapping[str, Value | None]) -> dict[str, Value]:
        if not self.prefix:
            return {}
        kept = {
            f"{self.prefix}{name}": EMPTY[self.values[name].kind] if value is None else value
            for name, value in values.items()
        }
        return {f"{self.prefix}{_STATUS}": status, **kept}


OPTIONS = HttpOptions
