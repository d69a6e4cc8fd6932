"""Asking the caller for keys, and asking again: what `menu` and `gather` share.

A question is asked at most `tries` times for each kind of failure; after the last one the flow goes where `then`
says, or to its `on_failure`. The verbs are made when the flow loads, one per language and occasion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cordboard.config.validation import Section, Text
from cordboard.flows.compiler import NodeCompiler
from cordboard.flows.node import Ask, Attempts, Go, Move, NodeFailed
from cordboard.flows.options import PromptNames, Seconds, Tries
from cordboard.telephony.verbs import Gather, Prompt

ByLanguage = Mapping[str, Gather]
MakeGather = Callable[[tuple[Prompt, ...]], Gather]


class NoMatchOptions(Section):
    """What happens when the keys are none of those wanted. say: before the question is asked again."""

    say: PromptNames = ()
    tries: Tries = 3
    then: Text | None = None


class NoInputOptions(NoMatchOptions):
    """What happens when no key comes within `after_s`."""

    after_s: Seconds = 5.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How often one kind of failure may happen, and where it leads then; "" for the flow's `on_failure`."""

    tries: int
    then: str


@dataclass(frozen=True, slots=True)
class Question:
    """The verbs of a question and its limits."""

    first: ByLanguage
    after_no_input: ByLanguage
    after_no_match: ByLanguage
    no_input_limit: Limit
    no_match_limit: Limit

    def ask(self, language: str, attempts: Attempts) -> Ask:
        """The question as it is asked first. attempts: those that were made before a crash."""
        return Ask(self.first[language], attempts=attempts)

    def no_input(self, language: str, attempts: Attempts) -> Move:
        """Ask again, or give up, after silence."""
        attempts = attempts._replace(no_input=attempts.no_input + 1)
        if attempts.no_input >= self.no_input_limit.tries:
            return _give_up(self.no_input_limit, f"no input after {attempts.no_input} tries")
        return Ask(self.after_no_input[language], attempts=attempts)

    def no_match(self, language: str, attempts: Attempts) -> Move:
        """Ask again, or give up, after keys that were not wanted."""
        attempts = attempts._replace(no_match=attempts.no_match + 1)
        if attempts.no_match >= self.no_match_limit.tries:
            return _give_up(self.no_match_limit, f"no match after {attempts.no_match} tries")
        return Ask(self.after_no_match[language], attempts=attempts)


def _give_up(limit: Limit, reason: str) -> Go:
    if not limit.then:
        raise NodeFailed(reason)
    return Go(limit.then)


def compile_question(
    compiler: NodeCompiler,
    prompts: Mapping[str, tuple[Prompt, ...]],
    no_input: NoInputOptions,
    no_match: NoMatchOptions,
    make: MakeGather,
) -> Question:
    """The question of a node whose options have `no_input` and `no_match`. make: its verb, for given prompts."""
    silence = compiler.prompts(no_input.say, "no_input", "say")
    mistake = compiler.prompts(no_match.say, "no_match", "say")
    return Question(
        first=compiler.per_language(lambda language: make(prompts[language])),
        after_no_input=compiler.per_language(lambda language: make(silence[language] + prompts[language])),
        after_no_match=compiler.per_language(lambda language: make(mistake[language] + prompts[language])),
        no_input_limit=Limit(no_input.tries, compiler.target(no_input.then, "no_input", "then")),
        no_match_limit=Limit(no_match.tries, compiler.target(no_match.then, "no_match", "then")),
    )
