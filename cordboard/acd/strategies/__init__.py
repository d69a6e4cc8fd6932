"""Which of the eligible free agents gets a call: one function for each strategy of queues.yaml.

`STRATEGIES` is asked by `acd.matching`; `choice` says what a strategy is asked and answers. None of them looks at
whether an agent may have the call: that is decided before.
"""

from __future__ import annotations

from collections.abc import Mapping

from cordboard.acd.model import Strategy
from cordboard.acd.strategies.by_chance import drawn, drawn_by_weight
from cordboard.acd.strategies.by_counts import fewest_calls, least_talk_time, longest_idle
from cordboard.acd.strategies.by_order import in_order, round_robin, top_down
from cordboard.acd.strategies.by_skill import best_skill
from cordboard.acd.strategies.choice import Choose
from cordboard.acd.strategies.compat import COMPAT
from cordboard.acd.strategies.ring_all import ring_all

STRATEGIES: Mapping[Strategy, Choose] = {
    "longest_idle": longest_idle,
    "fewest_calls": fewest_calls,
    "least_talk_time": least_talk_time,
    "round_robin": round_robin,
    "in_order": in_order,
    "random": drawn,
    "weighted_random": drawn_by_weight,
    "ring_all": ring_all,
    "top_down": top_down,
    "best_skill": best_skill,
    **COMPAT,
}
