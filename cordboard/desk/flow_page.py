"""What admins see of the flows: which revision of each is live since when, and what was refused. Values only.

Made by whoever keeps the flows (`ports.FlowBook`), sent to the page as they are. Moments are seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlowLine:
    """One flow that is live.

    since_at, by, who, message: when, by what ("watch", "publish", ...) and by whom this revision was made live, and
    why; None and "" if nobody knows any more. numbers: the first of those that lead to it, of `numbers_count`;
    is_default: and so do all that are not listed. reached_from: flows that lead to it. calls_today: calls that
    began with it since midnight, None if nobody has counted.
    """

    name: str
    revision: str
    since_at: float | None
    by: str
    who: str
    message: str
    numbers: tuple[str, ...]
    numbers_count: int
    is_default: bool
    reached_from: tuple[str, ...]
    nodes: int
    calls_today: int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a refused configuration. place: "flows/support.yaml:31:13"; hint: "" or some lines."""

    place: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A configuration that was refused and has not been mended since: what was live before still is.

    by: what asked for it, as in `FlowLine`; message: why, where no file is to blame. faults: the first of
    `faults_count`.
    """

    at: float
    by: str
    message: str
    faults: tuple[Fault, ...]
    faults_count: int


@dataclass(frozen=True, slots=True)
class FlowPage:
    """Everything on the page. is_traced: the ways of calls are kept, so that they can be counted."""

    flows: tuple[FlowLine, ...]
    refusal: Refusal | None
    is_traced: bool
