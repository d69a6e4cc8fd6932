"""What a queue with a strategy of app_queue takes over from there besides the strategy itself.

Plain values, a part of `model.Queue`; read from `queues.yaml` by `written_compat`, used by `strategies.compat`
and by the store.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompatRules:
    """penalty_members_limit: penalties count for nothing while the queue has no more agents than this; autofill:
    whether others are offered to agents while the caller who stands first is.
    """

    penalty_members_limit: int = 0
    autofill: bool = True
