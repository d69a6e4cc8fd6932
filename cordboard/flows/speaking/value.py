"""A value among the words of a speech: what gives it, and the rule that speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cordboard.flows.conditions import Expression
from cordboard.flows.speaking.rules import Rule
from cordboard.telephony.verbs import Utterance


@dataclass(frozen=True, slots=True)
class SpokenValue:
    """One value of a call, spoken by a rule."""

    expression: Expression
    rule: Rule

    def utterances(self, facts: Mapping[str, Any]) -> tuple[Utterance, ...]:
        """What to play for the value now. facts: as `FlowRun.facts` gives them.

        Raises ExpressionFailed for a value that is not there, NodeFailed for one that cannot be spoken.
        """
        return self.rule.utterances(self.expression.evaluate(facts), facts["now"])
