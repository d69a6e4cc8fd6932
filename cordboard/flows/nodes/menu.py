"""`menu`: a prompt, and a node for each key.

    main:
      menu: main_menu
      again: main_menu_short
      keys: {1: sales, 2: support, 21: repairs, "*": main, "#": bye}
      direct_dial: {next: ring_them, lengths: [4], unknown: no_such_extension}
      no_input: {after_s: 5, tries: 3, say: still_there, then: operator}
      no_match: {tapered: [try_again, listen_to_the_whole_menu], tries: 3, then: operator}
    ring_them: {dial: {extension_from: extension}, otherwise: operator}

Keys may have several digits. After a key that begins a longer one (2 and 21) the caller has `inter_digit_s` for the
next; where none can follow, nobody waits. Keys that came before the menu count, without its being read out.

direct_dial: callers who know an extension key it in at the menu. `direct_dial: ring_them` alone is enough: it takes
every extension that the dial policy allows, and keeps its digits as `extension`. A key of the menu goes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from cordboard.config.validation import AS_TEXT, Many, Section, Text, also_written
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Go, Move, Node
from cordboard.flows.options import Declaration, NodeOptions, PromptNames, Seconds, Target, VariableName
from cordboard.flows.question import (
    Again,
    BargeIn,
    NoInputOptions,
    NoMatchOptions,
    OnNoInput,
    OnNoMatch,
    Question,
    QuestionMaker,
    input_ends,
)
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import Outcome
from cordboard.telephony.verbs import Gather

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

Keys = Annotated[Text, Field(pattern=r"^[0-9*#]{1,8}$")]
Length = Annotated[int, Field(ge=1, le=16)]


@also_written(AS_TEXT)
def _as_direct_dial(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {"next": value}


class DirectDial(Section):
    """Extensions that are keyed in at a menu."""

    next: Target = Field(description="Where with an extension: a `dial` of `extension_from`.")
    save: VariableName = Field("extension", description="The variable that keeps its digits.")
    lengths: Annotated[Many[Length], Field(min_length=1)] | None = Field(
        None, description="How many digits extensions have; those of the dial policy without it."
    )
    unknown: Target | None = Field(
        None, description="Where with as many digits that are no extension; a `no_match` without it."
    )


class MenuOptions(NodeOptions):
    """A question that is answered with a key, each of which leads somewhere."""

    verb: ClassVar[str] = "menu"
    asks: ClassVar[bool] = True
    needs_call: ClassVar[bool] = True

    menu: Annotated[PromptNames, Field(min_length=1)] = Field(description="The question: a prompt or a list.")
    keys: Annotated[dict[Keys, Target], Field(min_length=1)] = Field(
        description="The node that each key leads to; up to 8 keys in a row count as one."
    )
    again: Again = None
    direct_dial: Annotated[DirectDial, BeforeValidator(_as_direct_dial)] | None = Field(
        None, description="The node that extensions lead to which callers key in here, or more about them."
    )
    no_input: OnNoInput = NoInputOptions()
    no_match: OnNoMatch = NoMatchOptions()
    inter_digit_s: Seconds = Field(
        2.0, description="How long to wait for the next key, where what was keyed begins something longer."
    )
    barge_in: BargeIn = True

    def declares(self) -> Iterator[Declaration]:
        """The extension, if callers may key one in."""
        if self.direct_dial is not None:
            name, on = self.direct_dial.save, ("direct_dial.next",)
            yield Declaration(name, ("direct_dial", "save"), kind="string", on=on)

    def compile(self, compiler: NodeCompiler) -> Node:
        """The node with every key's target checked."""
        extensions = self._extensions(compiler)
        ask = QuestionMaker(compiler, self.no_input, self.no_match).question
        return MenuNode(
            question=ask(self._verb(extensions), self.menu, self.again, "menu"),
            targets={keys: compiler.way(node, "keys", keys).keeping({}, "") for keys, node in self.keys.items()},
            extensions=extensions,
        )

    def _verb(self, extensions: Extensions | None) -> Gather:
        lengths = {*map(len, self.keys), *(extensions.lengths if extensions else ())}
        return Gather(
            (),
            max_digits=max(lengths),
            first_digit_s=self.no_input.after_s,
            inter_digit_s=self.inter_digit_s,
            barge_in=self.barge_in,
            ends=input_ends(self.keys, max(lengths), extensions.goes_on if extensions else None),
        )

    def _extensions(self, compiler: NodeCompiler) -> Extensions | None:
        direct = self.direct_dial
        if direct is None:
            return None
        policy = compiler.dial_policy
        known = {len(rule.pattern) for rule in policy.rules}
        if not known and compiler.names.surroundings.is_known:
            hint = "write `extensions` into cordboard.yaml"
            compiler.report(("direct_dial",), "no-extensions", "the dial policy allows no extension at all", hint)
        return Extensions(
            policy,
            frozenset(direct.lengths or known),
            direct.save,
            compiler.way(direct.next, "direct_dial", "next"),
            compiler.way(direct.unknown, "direct_dial", "unknown"),
        )


@dataclass(frozen=True, slots=True)
class Extensions:
    """What callers may dial at a menu. lengths: how many digits an extension has; save: the variable for them."""

    policy: DialPolicy
    lengths: frozenset[int]
    save: str
    next: Go
    unknown: Go | None

    def goes_on(self, digits: str) -> bool:
        """Whether an extension begins with these digits and has more."""
        return self.policy.goes_on(digits, self.lengths)

    def way(self, digits: str, rest: str) -> Go | None:
        """The way for an input that is no key of the menu; None if it is no extension either."""
        if len(digits) not in self.lengths:
            return None
        if self.policy.resolve(digits) is not None:
            return self.next.keeping({self.save: digits}, rest)
        return self.unknown and self.unknown.keeping({self.save: digits}, rest)


@dataclass(frozen=True, slots=True)
class MenuNode(Node):
    """Asks until a key of the menu comes."""

    question: Question
    targets: Mapping[str, Go]
    extensions: Extensions | None = None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """Read the menu out, unless the caller has answered already."""
        return self.question.begin(run, now, self._decide)

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """Go where the key leads, or ask again."""
        return self.question.received(run, outcome, now, self._decide)

    def _decide(self, run: FlowRun, now: datetime, digits: str, rest: str) -> Move:
        way = self.targets.get(digits)
        if way is not None:
            return way.keeping({}, rest) if rest else way
        extension = self.extensions and self.extensions.way(digits, rest)
        return extension or self.question.no_match(run, now)


OPTIONS = MenuOptions
