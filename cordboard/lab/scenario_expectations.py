"""What must be true when a scenario has been played, one model for each; the first key of an expectation names it.

`scenario` reads them from YAML, `checks` finds out. docs/scenarios.md tells them; a test compares that table with
`EXPECTATIONS`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from cordboard.acd.model import OfferEnd
from cordboard.config.scalars import as_written
from cordboard.config.validation import Many, Section, Text, closest, fault
from cordboard.lab.scenario_steps import Seconds

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class PathExpected(Section):
    """So many calls entered exactly these nodes, in this order. calls: by default every call of the scenario."""

    path: Many[Text] = Field(description="The nodes that were entered, in order.")
    calls: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How many calls went so; all if left out."
    )
    within_s: Seconds = Field(default=2.0, description="How long it may take to become true.")


class NoChannelsLeft(Section):
    """No channel is left on the PBX."""

    no_channels_left: Literal[True] = Field(description="No channel is left on the PBX.")
    within_s: Seconds = Field(default=5.0, description="How long it may take to become true.")


class NoErrorsLogged(Section):
    """The service logged nothing of level error while the scenario played."""

    no_errors_logged: Literal[True] = Field(description="The service logged no error.")


class PopExpected(Section):
    """The agent's desk showed a call with these values, and before the agent did this.

    Any other key is something shown: `number`, `caller_name`, `dialled`, `queue`, `customer.<field>`,
    `customer.status`.
    """

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    pop: Text = Field(description="The agent whose desk showed the call.")
    before: Literal["answered", "joined"] | None = Field(
        default=None, description="What the agent had not done yet."
    )
    within_s: Seconds = Field(default=2.0, description="How long it may take to become true.")

    @model_validator(mode="after")
    def _known(self) -> PopExpected:
        for name in self.model_extra or {}:
            if not name.startswith("customer.") and name not in SHOWN:
                hint = closest(name, SHOWN) or f"one of: {', '.join(SHOWN)}, customer.<field>"
                raise fault("unknown-key", f"a screen-pop does not show `{name}`", hint)
        return self

    @property
    def shown(self) -> dict[str, str]:
        """The values that must have been shown together."""
        return {name: str(as_written(value)) for name, value in (self.model_extra or {}).items()}


SHOWN = ("number", "caller_name", "dialled", "queue", "reason")


class OffersExpected(Section):
    """So many offers to this agent ended so."""

    offers: Text = Field(description="The agent who was offered calls.")
    ended: OfferEnd = Field(strict=False, description="How they ended.")
    times: Count = Field(default=1, description="How many of them.")
    within_s: Seconds = Field(default=2.0, description="How long it may take to become true.")


class LedgerExpected(Section):
    """So many of its calls have exactly these kinds of rows in the ledger, in this order. calls: by default all."""

    ledger: Many[Text] = Field(description="The kinds of rows in the ledger, in order.")
    calls: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How many calls have them; all if left out."
    )
    within_s: Seconds = Field(default=2.0, description="How long it may take to become true.")


class KpiExpected(Section):
    """The key figures of a queue, from the ledger of this scenario alone; those left out are not looked at."""

    kpi: Text = Field(description="The queue.")
    offered: Count | None = Field(default=None, description="Calls that came.")
    answered: Count | None = Field(default=None, description="Calls that were answered.")
    abandoned: Count | None = Field(default=None, description="Callers who left first.")
    max_wait: Count | None = Field(default=None, description="Callers who waited too long.")
    lost: Count | None = Field(default=None, description="Calls that were lost.")
    rona: Count | None = Field(default=None, description="Offers that rang and were not taken.")
    service_level: Share | None = Field(default=None, description="The share answered in time, 0 to 1.")
    within_s: Seconds = Field(default=2.0, description="How long it may take to become true.")

    @property
    def figures(self) -> dict[str, float]:
        """The figures that are given."""
        given = self.model_dump(exclude={"kpi", "within_s"}, exclude_none=True)
        return {name: float(value) for name, value in given.items()}


Expectation = (
    PathExpected | NoChannelsLeft | NoErrorsLogged | PopExpected | OffersExpected | LedgerExpected | KpiExpected
)

_MODELS: tuple[type[Expectation], ...] = (
    PathExpected,
    NoChannelsLeft,
    NoErrorsLogged,
    PopExpected,
    OffersExpected,
    LedgerExpected,
    KpiExpected,
)

EXPECTATIONS: dict[str, Any] = {next(iter(model.model_fields)): model for model in _MODELS}
"""Every expectation by the key that names it."""
