"""What agents' phones can do now, from FreeSWITCH's directory, registrations and channels. Pure.

Kept by the switch. A phone is known by its user, as it registers, in all the ways in which agents.yaml can say it:
`user/1001`, `user/1001@example.org`, and, where it is registered, `sofia/internal/1001@example.org` (or `%`). It is
busy while it has a channel, whoever made that, and away while it is not registered. A phone at a fixed address has
no state, and is rung: it can say itself that it is busy. One user of two domains is one phone here.

FreeSWITCH writes down late what has happened: its lists are a second old, now and then. So what its events have
told since the link came up goes before what it lists: a channel that has ended is not busy for being listed still,
nor is one that has just begun free for not being listed yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cordboard.telephony.ports import DeviceState

_RINGING = frozenset({"RINGING", "EARLY"})
_DOWN = frozenset({"DOWN", "HANGUP"})
# One device and nothing else: "," or "|" would ring a second one, "[" and "{" set variables, "$" be expanded.
_ONE_DEVICE = re.compile(r"[A-Za-z0-9_]{1,40}/[A-Za-z0-9_.+@%/:*#-]{1,200}")
ENDED_KEPT = 2_000  # channels that have ended lately: more than end in the seconds which a list is late


class Place(NamedTuple):
    """A user, and where: "" for what is not known."""

    user: str
    domain: str
    profile: str


class Devices:
    """The phones of one switch. Told what is seen; says what has changed."""

    def __init__(self) -> None:
        self._registered: dict[str, bool] = {}
        self._told: dict[str, bool] = {}  # by events, since the link came up
        self._legs: dict[str, tuple[str, bool]] = {}  # by leg: the user, and whether it rings
        self._new: set[str] = set()  # of these, what events have told of since the last list
        self._ended: dict[str, None] = {}  # legs, the latest last
        self._domains: dict[str, set[str]] = {}  # by user
        self._profiles: set[str] = set()

    def forget_told(self) -> None:
        """The link has come up: events were missed."""
        self._told.clear()
        self._new.clear()

    def list(self, registered: Mapping[str, bool], channels: Iterable[Mapping[str, Any]]) -> dict[str, DeviceState]:
        """Begin anew with what there is: the users, and whether each is registered; the rows of `show channels`."""
        self._registered = {**registered, **self._told}
        found = {str(row["uuid"]): _leg_of_row(row) for row in channels if row["uuid"] not in self._ended}
        listed = {leg_id: leg for leg_id, leg in found.items() if leg is not None and leg[0] in self._registered}
        self._legs = listed | {leg_id: leg for leg_id, leg in self._legs.items() if leg_id in self._new}
        self._new.clear()
        return {name: self.state(user) for user in self._registered for name in self.names(user)}

    def note_place(self, place: Place) -> None:
        """A user of a domain, and where their phone is registered."""
        if place.domain:
            self._domains.setdefault(place.user, set()).add(place.domain)
        if place.profile:
            self._profiles.add(place.profile)

    def names(self, user: str) -> tuple[str, ...]:
        """The devices which that user's phone is."""
        full = [f"{user}{at}{domain}" for domain in sorted(self._domains.get(user, ())) for at in "@%"]
        registered = (f"sofia/{profile}/{name}" for profile in sorted(self._profiles) for name in full)
        return (f"user/{user}", *(f"user/{name}" for name in full if "@" in name), *registered)

    def note_registration(self, user: str, *, is_registered: bool) -> DeviceState:
        """A phone has come or gone; what it can do now."""
        self._registered[user] = self._told[user] = is_registered
        return self.state(user)

    def note_leg(self, leg_id: str, presence: str, *, rings: bool) -> tuple[str, DeviceState] | None:
        """A channel rings or talks: the user and what their phone can do now; None if it is no user's."""
        user = user_of(presence)
        if user not in self._registered or leg_id in self._ended:
            return None
        self._legs[leg_id] = (user, rings)
        self._new.add(leg_id)
        return user, self.state(user)

    def forget_leg(self, leg_id: str) -> tuple[str, DeviceState] | None:
        """A channel has ended."""
        self._ended[leg_id] = None
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        self._new.discard(leg_id)
        found = self._legs.pop(leg_id, None)
        return None if found is None else (found[0], self.state(found[0]))

    def state(self, user: str) -> DeviceState:
        """What a user's phone can do now."""
        rings = [rings for who, rings in self._legs.values() if who == user]
        if rings:
            return DeviceState.RINGING if all(rings) else DeviceState.IN_USE
        registered = self._registered.get(user)
        if registered is None:
            return DeviceState.UNKNOWN
        return DeviceState.IDLE if registered else DeviceState.UNAVAILABLE


def is_one_device(text: str) -> bool:
    """Whether a text names exactly one device ("user/1001") and can do nothing else inside a dial string."""
    return _ONE_DEVICE.fullmatch(text) is not None


def user_of(presence: str) -> str:
    """The user of a presence id or an address of record, "1001" of "1001@example.org"; "" for none."""
    return presence.partition("@")[0] if "@" in presence else ""


def users_of(listing: str) -> dict[str, bool]:
    """The users of `list_users`, each with whether a phone of theirs is registered."""
    return {row["userid"]: not row["contact"].startswith("error/") for row in _rows_of(listing)}


def places_of(listing: str) -> list[Place]:
    """The users of `list_users`, and where they are."""
    return [Place(row["userid"], row.get("domain", ""), _profile(row["contact"])) for row in _rows_of(listing)]


def place_of_registration(row: Mapping[str, Any]) -> Place:
    """A row of `show registrations`: also of users whom `list_users` does not know, because the directory is asked
    for each one (`mod_xml_curl` and like).
    """
    return Place(str(row.get("reg_user", "")), str(row.get("realm", "")), _profile(str(row.get("url", ""))))


def _rows_of(listing: str) -> list[dict[str, str]]:
    rows = [line.split("|") for line in listing.splitlines()]
    heads = next((row for row in rows if row[:1] == ["userid"]), [])
    if "contact" not in heads:
        return []
    return [dict(zip(heads, row, strict=True)) for row in rows if len(row) == len(heads) and row is not heads]


def _profile(contact: str) -> str:
    """The one of "sofia/internal/sip:1001@192.0.2.7:5060"."""
    technology, _, rest = contact.partition("/")
    return rest.partition("/")[0] if technology == "sofia" else ""


def _leg_of_row(row: Mapping[str, Any]) -> tuple[str, bool] | None:
    user, state = user_of(str(row["presence_id"])), str(row["callstate"])
    return None if not user or state in _DOWN else (user, state in _RINGING)
