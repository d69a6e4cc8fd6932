"""The moments at which a caller can do something: the rehearsal stops at each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cordboard.simulation.hearing import Spoken
from cordboard.telephony.outcomes import Outcome
from cordboard.telephony.verbs import Gather, HttpRequest, Play, Record, RunScript, Say


@dataclass(frozen=True, slots=True)
class Hearing:
    """Something begins to be said. rest: this, and all that follows it within the verb."""

    verb: Play | Gather | Say
    rest: tuple[Spoken, ...]

    @property
    def takes_keys(self) -> bool:
        """Whether a key is of any use now."""
        if isinstance(self.verb, Gather):
            return self.verb.barge_in
        return isinstance(self.verb, Play) and self.verb.keys


@dataclass(frozen=True, slots=True)
class Listening:
    """Keys are waited for. typed: those that came already; left_s: until the wait is over."""

    verb: Gather
    left_s: float
    typed: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Recording:
    """The caller can speak. spoken_s: so far; silent_s: since then."""

    verb: Record
    spoken_s: float = 0.0
    silent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time in which the caller waits or talks."""

    what: Literal["waits", "rings", "talks"]
    who: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """The caller waits for somebody, or talks to them. phases: this one and those after it; then the outcome.

    keys: those that lead out of the first phase.
    """

    phases: tuple[Phase, ...]
    outcome: Outcome
    spent_s: float = 0.0  # of the first phase
    keys: str = ""

    @property
    def phase(self) -> Phase:
        """The one that is on."""
        return self.phases[0]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A web service or a script was asked, and nobody has said what it answers."""

    verb: HttpRequest | RunScript


Pause = Hearing | Listening | Recording | Waiting | Unanswered
