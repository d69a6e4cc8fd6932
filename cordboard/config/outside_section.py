"""The section `outside` of `cordboard.yaml`: which numbers of the telephone network flows may call, and how often.

    country: GB
    outside:
      device: PJSIP/{number}@trunk
      countries: [GB, IE]
      types: [fixed, mobile]
      deny: ["+44 7624"]
      caller_id: "+442079460100"
      per_caller: {calls: 10, within_s: 60}

Read with the settings. What the policy then allows is decided in `telephony.outside_numbers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from cordboard.config.validation import Many, Section, Text
from cordboard.telephony.dial_policy import USUAL_TYPES, NumberType

if TYPE_CHECKING:
    from cordboard.telephony.outside_numbers import OutsidePolicy


class Cap(Section):
    """How many calls to outside numbers may be made in how much time. Emergency calls do not count."""

    calls: Annotated[int, Field(ge=1, le=100_000)] = Field(description="How many calls may be made in that time.")
    within_s: Annotated[float, Field(gt=0, le=86_400)] = Field(
        description="The time in seconds, counted back from each call."
    )


class Outside(Section):
    """Numbers of the telephone network which flows may call. Without this section they may call none."""

    device: Text = Field(
        description="What rings: `{number}` stands for +442079460123, `{digits}` for 442079460123, as in "
        "PJSIP/{number}@trunk."
    )
    countries: Many[Text] = Field(default=(), description="Allowed countries, two letters each: [GB, IE].")
    types: Annotated[Many[NumberType], Field(min_length=1)] = Field(
        default=USUAL_TYPES,
        description="Allowed kinds of number in these countries. Premium, shared cost and personal numbers are "
        "denied unless they are named here.",
    )
    allow: Many[Text] = Field(
        default=(),
        description='Beginnings of numbers that are allowed whatever their country and kind: ["+44 84"].',
    )
    deny: Many[Text] = Field(
        default=(),
        description='Beginnings of numbers that are never called, whatever else allows them: ["+44 7624"].',
    )
    emergency: Many[Text] = Field(
        default=(),
        description="Emergency numbers beside 112 and those of `country`; calls to them are always made.",
    )
    caller_id: Text = Field(
        default="", description="The number that called parties see; the caller's own without it."
    )
    per_caller: Cap = Field(
        default=Cap(calls=10, within_s=60), description="How many calls to outside numbers one caller may cause."
    )
    per_flow: Cap = Field(
        default=Cap(calls=100, within_s=60), description="How many calls to outside numbers one flow may cause."
    )

    def policy(self, country: str) -> OutsidePolicy:
        """What may be called. country: of national numbers, "" for none. Raises BadOutside."""
        from cordboard.telephony.outside_numbers import (
            parse_outside,
        )  # tables of numbers: only where they are wanted

        return parse_outside(
            self.device,
            country=country,
            countries=self.countries,
            types=self.types,
            allow=self.allow,
            deny=self.deny,
            emergency=self.emergency,
            caller_id=self.caller_id,
        )
