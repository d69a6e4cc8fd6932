"""Of a queue in queues.yaml: who gets which call, and what callers ask of an agent unless the flow says otherwise.

    sales:
      strategy: best_skill
      weight: 5
      ageing_s: 60
      at_most: 12
      not_again_s: 60
      require: {spanish: 3}
      prefer: {billing: 2}
      relax: [{after_s: 30, lower: {spanish: 1}}, {after_s: 90, drop: [spanish]}]

A part of `queues_file.WrittenQueue`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from cordboard.acd.model import Needs, Queue, Strategy
from cordboard.config.needs_section import Relaxation, Skills
from cordboard.config.validation import Section, fault

_QUEUE = Queue("")


def _a_name_of_today(strategy: Any) -> Any:
    """app_queue takes this one name for another one still, which is not what it says."""
    if strategy == "compat:roundrobin":
        hint = "app_queue makes rrmemory of it: write `compat:rrmemory`, or `round_robin` for ours"
        raise fault("unknown-choice", f"`{strategy}` is no strategy of app_queue any more", hint)
    return strategy


class Routing(Section):
    """Who gets which call."""

    strategy: Annotated[Strategy, BeforeValidator(_a_name_of_today)] = Field(
        default=_QUEUE.strategy, description="Which of the free agents gets the call."
    )
    weight: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=_QUEUE.weight,
        description="Of agents who serve several queues, those of the queue with the higher weight get one first.",
    )
    ageing_s: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None,
        description="So many seconds of waiting are worth one priority; without it only priority itself counts.",
    )
    at_most: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        default=None, description="How many of its callers may have an agent at a time; any number without it."
    )
    not_again_s: Annotated[float, Field(gt=0, le=3600)] | None = Field(
        default=None,
        description="How long a call goes to others first than to an agent who did not take it; no such rule "
        "without it.",
    )
    require: Skills = Field(
        default_factory=dict, description="The skills an agent must have for a call of this queue, with levels."
    )
    prefer: Skills = Field(
        default_factory=dict, description="Skills that put an agent before those who have fewer of them."
    )
    relax: Relaxation = Field(
        default=(), description="What is asked for less, or instead, once a caller has waited for some time."
    )

    def needs(self) -> Needs:
        """What callers ask for."""
        return Needs(
            tuple(self.require.items()),
            tuple(self.prefer.items()),
            tuple(step.as_step() for step in self.relax),
        )

    def routing_rules(self) -> dict[str, Any]:
        """As arguments of `Queue`; the strategy is not among them."""
        return {
            "weight": self.weight,
            "ageing_s": self.ageing_s or 0.0,
            "at_most": self.at_most or 0,
            "not_again_s": self.not_again_s or 0.0,
            "needs": self.needs(),
        }
