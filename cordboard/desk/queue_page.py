"""What the live queue page shows, made from one reading of the floor: figures of queues, and no person at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cordboard.acd.model import FloorPlan
from cordboard.desk.desk_page import longest_since
from cordboard.store.acd_values import FloorSnapshot, QueueView


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """One queue. Counts and service level (0 to 1, None before the first call) are today's.

    service_level_formula: its name; service_level_s: its threshold; short_abandon_s: who left sooner does not count
    in the formula `excl_short_aban`. agents: how many are in each activity or, while idle, presence.
    """

    name: str
    waiting: int
    longest_since_at: float | None
    offered: int
    answered: int
    abandoned: int
    service_level: float | None
    service_level_formula: str
    service_level_s: float
    short_abandon_s: float
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
    return QueueFigures(
        name=queue.name,
        waiting=queue.waiting,
        longest_since_at=longest_since(queue, at),
        offered=queue.offered_today,
        answered=queue.answered_today,
        abandoned=queue.abandoned_today,
        service_level=queue.service_level,
        service_level_formula=configured.service_level_formula,
        service_level_s=configured.service_level_s,
        short_abandon_s=configured.short_abandon_s,
        agents={str(activity): count for activity, count in queue.agents.items()},
    )
