"""Formulas by which others estimate a caller's wait, for comparison with `wait_estimate` on the same days. Pure.

None of them is used to tell a caller anything. All give seconds from now.
"""

from __future__ import annotations

from dataclasses import dataclass

STATSERVER_AHT_S = 90.0  # Genesys StatServer, where nothing was seen yet
MITEL_TALK_S = 60.0
CCAI_MORE_S = 10.0  # is added to each


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What the formulas look at. position: from 1; waiting: callers in line; agents: at work for the queue, busy or
    not; aht_s, talk_s, asa_s: averages, None where nothing was seen; abandoned: share of callers, 0.0 to 1.0.

    shares: the agents once more, each of whom counts as one part of the queues they serve; available: how many of
    them are free; callbacks: promised and still to be made.
    """

    position: int
    waiting: int
    agents: int
    aht_s: float | None = None
    talk_s: float | None = None
    asa_s: float | None = None
    abandoned: float = 0.0
    shares: float | None = None
    available: int = 0
    callbacks: int = 0


class MovingAverage:
    """app_queue's: a moving average of all waits of the queue, less what the caller has waited already. Neither the
    position nor the staffing is in it; and once the average is passed, the figure climbs again.
    """

    def __init__(self) -> None:
        self.holdtime_s = 0

    def take(self, wait_s: float) -> None:
        """A caller was answered. In whole seconds, as app_queue does."""
        self.holdtime_s = (3 * self.holdtime_s + int(wait_s)) >> 2

    def wait_s(self, waited_s: float = 0.0) -> float:
        """As announced, in whole minutes."""
        return 60.0 * abs(int((self.holdtime_s + 30 - int(waited_s)) / 60))


def position_share(figures: QueueFigures) -> float:
    """Position x AHT / agents: the rule of thumb."""
    return figures.position * (figures.aht_s or STATSERVER_AHT_S) / max(1, figures.agents)


def statserver(figures: QueueFigures, availability: float = 1.0) -> float:
    """Genesys StatServer: AHT x calls in queue / (agents x their share of time for this queue)."""
    return (figures.aht_s or STATSERVER_AHT_S) * figures.waiting / max(0.0001, figures.agents * availability)


def mitel(figures: QueueFigures) -> float:
    """Mitel: talk x position / agents; where nobody has talked yet ASA x position; else a minute each."""
    if figures.talk_s is not None and figures.agents:
        return figures.talk_s * figures.position / figures.agents
    return figures.position * (figures.asa_s if figures.asa_s is not None else MITEL_TALK_S)


def connect_style(figures: QueueFigures) -> float:
    """AHT x place / agents x (1 - share of callers who give up)."""
    return position_share(figures) * (1 - figures.abandoned)


def google_ccai(figures: QueueFigures) -> float:
    """Google CCAI: AHT / agents x (agents / their shares in this queue) x (queued - available + callbacks), and ten
    seconds.
    """
    shares = figures.agents if figures.shares is None else figures.shares
    calls = max(0, figures.waiting - figures.available) + figures.callbacks
    return (figures.aht_s or STATSERVER_AHT_S) * calls / max(0.0001, shares) + CCAI_MORE_S
