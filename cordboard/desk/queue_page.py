"""What the live queue page shows, made from one reading of the floor: figures of queues, and no person at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cordboard.acd.model import FloorPlan
from cordboard.acd.service_level import formula_in_words
from cordboard.desk.desk_page import longest_since
from cordboard.store.acd_values import FloorSnapshot, QueueView


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """One queue. Counts and service level (0 to 1, None before the first call) are today's.

    elsewhere: sent on by the queue's rules, or gone on by a key. service_level_formula: its name, and _words what
    is divided by what. agents: how many are in each activity or, while idle, presence.
    """

    name: str
    waiting: int
    longest_since_at: float | None
    offered: int
    answered: int
    abandoned: int
    elsewhere: int
    service_level: float | None
    service_level_formula: str
    service_level_words: str
    agents: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Everything on the page, in the order of the configuration."""

    queues: tuple[QueueFigures, ...]


def queue_page(snapshot: FloorSnapshot, plan: FloorPlan) -> QueuePage:
    """The page, with the queues that the configuration has now."""
    known = [queue for queue in snapshot.queues if queue.name in plan.queues]
    return QueuePage(tuple(_figures(queue, snapshot.at, plan) for queue in known))


def _figures(queue: QueueView, at: float, plan: FloorPlan) -> QueueFigures:
    configured = plan.queues[queue.name]
    formula = configured.service_level_formula
    return QueueFigures(
        name=queue.name,
        waiting=queue.waiting,
        longest_since_at=longest_since(queue, at),
        offered=queue.offered_today,
        answered=queue.answered_today,
        abandoned=queue.abandoned_today,
        elsewhere=queue.elsewhere_today,
        service_level=queue.service_level,
        service_level_formula=formula,
        service_level_words=formula_in_words(formula, configured.service_level_s, configured.short_abandon_s),
        agents={str(activity): count for activity, count in queue.agents.items()},
    )
