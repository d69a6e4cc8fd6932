"""`compat` of a queue: what a strategy of app_queue takes over from queues.conf besides its name.

    sales:
      strategy: compat:rrmemory
      compat: {penalty_members_limit: 3, autofill: false}

Read by `queues_file`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cordboard.acd.compat_rules import CompatRules
from cordboard.config.validation import Section, fault

COMPAT = "compat:"  # how the names of app_queue's strategies begin
_DEFAULT = CompatRules()


class Compat(Section):
    """Settings of app_queue that change who is rung."""

    penalty_members_limit: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=_DEFAULT.penalty_members_limit,
        description="Penalties count for nothing while the queue has no more agents than this "
        "(`penaltymemberslimit`).",
    )
    autofill: bool = Field(
        default=_DEFAULT.autofill,
        description="Whether the callers behind the first one are offered to agents while the first one is; "
        "`compat:ringall` never does.",
    )

    def check(self, strategy: str) -> None:
        """Raises a fault where the strategy is none that looks at any of it."""
        if self.as_rules() != _DEFAULT and not strategy.startswith(COMPAT):
            hint = "take `compat` out, or choose a strategy whose name begins with `compat:`"
            raise fault("no-effect", f"`compat` means nothing to the strategy {strategy}", hint, at="compat")

    def as_rules(self) -> CompatRules:
        """The rules."""
        return CompatRules(self.penalty_members_limit, self.autofill)
