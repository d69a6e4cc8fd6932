"""What `queues.yaml` says callers are told while they wait, as values. See `announcements` for what it means.

announce:
  min_interval_s: 15
  position: {say: {en: You are number}, first_after_s: 20, every_s: 45, only: better}
  wait: {say: {en: Your wait is about}, minutes: {en: minutes}, minute: {en: one minute}, every_s: 60}
  periodic: {messages: [{en: Thank you for waiting.}], every_s: 60, order: cycle}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cordboard.acd.waiting_rules import PeriodicAnnouncement, PeriodicOrder, PositionAnnouncement, WaitAnnouncement
from cordboard.acd.written_values import Spoken
from cordboard.config.validation import Many, Section, fault, written_as

_POSITION = PositionAnnouncement()
_WAIT = WaitAnnouncement()
_PERIODIC = PeriodicAnnouncement()

_Texts = Annotated[Spoken, Field(min_length=1)]
_FirstAfter = Annotated[float, Field(ge=0, le=3600)]
_Every = Annotated[float, Field(ge=5, le=3600)]


def position_example(_written: str) -> str:
    """What to write for a position."""
    return "position: {say: {en: You are number}}"


def _wait_example(_written: str) -> str:
    return "wait: {say: {en: Your wait is about}, minutes: {en: minutes}}"


def _periodic_example(_written: str) -> str:
    return "periodic: {messages: [{en: Thank you for waiting.}]}"


class Position(Section):
    """How callers are told their place."""

    say: _Texts = Field(description="The words before the number, by language.")
    first_after_s: _FirstAfter = Field(
        default=_POSITION.first_after_s, description="When the caller first hears it."
    )
    every_s: _Every = Field(
        default=60.0, description="How often then."
    )  # often enough to be trusted, rare enough to be borne
    up_to: Annotated[int, Field(ge=1, le=50)] = Field(
        default=_POSITION.up_to, description="The last place that is told; who is further back hears `beyond`."
    )
    beyond: Spoken | None = Field(
        default=None,
        description="The words before that number for those further back, `There are more callers before you "
        "than`; they are told nothing without it.",
    )
    only: Literal["changed", "better"] | None = Field(
        default=None, description="Not the same place again (`changed`), and none that is worse (`better`)."
    )
    on_change: bool = Field(default=False, description="Also at once when the place has become better.")


class Wait(Section):
    """How callers are told how long it is likely to take."""

    say: _Texts = Field(description="The words before the number of minutes, by language.")
    minutes: _Texts = Field(description="The word after it, by language.")
    minute: Spoken | None = Field(
        default=None, description="All that is said after `say` when it is one minute, by language: `one minute`."
    )
    first_after_s: _FirstAfter = Field(default=_WAIT.first_after_s, description="When the caller first hears it.")
    every_s: _Every = Field(default=60.0, description="How often then.")


class Periodic(Section):
    """Messages that are told again and again, one at a time."""

    messages: Annotated[Many[_Texts], Field(min_length=1, max_length=20)] = Field(
        description="The messages, each by language."
    )
    first_after_s: _FirstAfter = Field(
        default=_PERIODIC.first_after_s, description="When the caller first hears one."
    )
    every_s: _Every = Field(default=60.0, description="How often then.")
    order: PeriodicOrder = Field(
        default=_PERIODIC.order, description="One after the other (`cycle`), or by chance (`random`)."
    )


class Announce(Section):
    """What callers are told while they wait."""

    min_interval_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=0.0, description="Music for so long at least between two announcements."
    )
    position: Annotated[Position, written_as(position_example)] | None = Field(
        default=None, description="How callers are told their place."
    )
    wait: Annotated[Wait, written_as(_wait_example)] | None = Field(
        default=None, description="How callers are told how long it is likely to take."
    )
    periodic: Annotated[Periodic, written_as(_periodic_example)] | None = Field(
        default=None, description="Messages that are told again and again."
    )

    @model_validator(mode="after")
    def _counts_in_its_languages(self) -> Self:
        if self.wait is not None and (missing := sorted(set(self.wait.say) - set(self.wait.minutes))):
            raise fault("missing-language", f"`minutes` has no text in `{missing[0]}`", "add the word for minutes")
        return self

    def announcements(self) -> dict[str, Any]:
        """These, by the names that `model.Queue` has for them."""
        return {
            "announce": self._position(),
            "announce_wait": self._wait(),
            "announce_periodic": self._periodic(),
            "announce_gap_s": self.min_interval_s,
        }

    def _position(self) -> PositionAnnouncement:
        one = self.position
        if one is None:
            return PositionAnnouncement()
        return PositionAnnouncement(
            one.first_after_s,
            one.every_s,
            one.say,
            one.up_to,
            one.beyond or {},
            only_changed=one.only is not None,
            only_up=one.only == "better",
            on_change=one.on_change,
        )

    def _wait(self) -> WaitAnnouncement:
        one = self.wait
        if one is None:
            return WaitAnnouncement()
        return WaitAnnouncement(one.first_after_s, one.every_s, one.say, one.minutes, one.minute or {})

    def _periodic(self) -> PeriodicAnnouncement:
        one = self.periodic
        if one is None:
            return PeriodicAnnouncement()
        return PeriodicAnnouncement(one.first_after_s, one.every_s, one.messages, one.order)
