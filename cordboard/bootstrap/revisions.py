"""Every revision of a flow that was live: its text as it was written, and who made it live when.

    <state>/revisions/<flow>/<revision>.yaml   the text, comments and all
    <state>/revisions/<flow>/<revision>.json   when it first came here, and the revisions of the flows it calls
    <state>/revisions/log.jsonl                what went live when, and why; only ever added to
    <state>/revisions/live.json                what is live now

The supervisor keeps what it makes live, before it does; `cordboard flow` reads, and keeps what a rollback replaces.
Workers load from here the flow of a call that began before them. What nobody can need any more is dropped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cordboard.bootstrap.flow_files import flow_files
from cordboard.bootstrap.whole_files import read_json, write_json, write_whole
from cordboard.flows.flow import Flow

By = Literal["start", "reload", "watch", "publish", "rollback"]
"""What made a revision live: the start of the service, a SIGHUP, a saved file, a command."""

KEPT_PER_FLOW = 50  # that are not live any more: weeks of work on one flow
KEPT_FOR_S = 7 * 86_400.0  # after it went, whatever their number: longer than any call lasts
_LOG = "log.jsonl"
_LIVE = "live.json"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is made live. who: the user at the command line; flows: only these, () for everything."""

    by: By
    message: str = ""
    who: str = ""
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptRevision:
    """A revision whose text is kept.

    kept_at: when it first came here, seconds since 1970; live_at, gone_at: when it went live last, and when it was
    replaced; None if that has not been. cause: of its going live, or of its being kept if it never was.
    subflows: revisions of the flows it calls, by name.
    """

    flow: str
    revision: str
    kept_at: float
    file: str
    cause: Cause
    subflows: Mapping[str, str] = field(default_factory=dict)
    live_at: float | None = None
    gone_at: float | None = None

    @property
    def is_live(self) -> bool:
        """Whether new calls get it now."""
        return self.live_at is not None and self.gone_at is None


class Revisions:
    """The revisions of one state folder. Methods that write may raise OSError."""

    def __init__(self, state: Path) -> None:
        self._root = state / "revisions"

    # Writing

    def keep(self, flows: Mapping[str, Flow], folder: Path, cause: Cause) -> None:
        """Keep the text of flows that were read from `folder`, with the comments it has now."""
        files = flow_files(folder)
        for name, flow in flows.items():
            subflows = {one.name: one.revision for one in flow.subflows.values()}
            self.keep_text(name, flow.revision, files[name], cause, subflows)

    def keep_text(
        self, flow: str, revision: str, file: Path, cause: Cause, subflows: Mapping[str, str] | None = None
    ) -> None:
        """Keep one text, instead of an earlier one of the same revision, which differs in its comments only."""
        text, path = file.read_text("utf-8"), self._text_path(flow, revision)
        if not path.exists():
            note = {"at": time.time(), "file": file.name, "subflows": dict(subflows or {}), **asdict(cause)}
            write_json(path.with_suffix(".json"), note)
        if not path.exists() or path.read_text("utf-8") != text:
            write_whole(path, text)

    def go_live(self, flows: Mapping[str, Flow], cause: Cause) -> dict[str, tuple[str, str]]:
        """Note what is live from now on. Returns what changed: the revisions before and after, "" for none."""
        before, now = self.live(), {name: flow.revision for name, flow in flows.items()}
        changed = {
            name: (before.get(name, ""), now.get(name, ""))
            for name in {**before, **now}
            if before.get(name) != now.get(name)
        }
        if changed:
            self._log({"at": time.time(), **asdict(cause), "flows": changed})
            write_json(self._root / _LIVE, now)
        return changed

    def drop_old(self, in_use: Collection[tuple[str, str]], now: float) -> int:
        """Forget revisions that nobody can need; how many. in_use: those that calls are on."""
        used = self._with_called({*in_use, *self.live().items()})
        dropped = 0
        for flow in self.flows():
            spent = [one for one in self.of(flow) if not one.is_live and (flow, one.revision) not in used]
            for one in spent[KEPT_PER_FLOW:]:
                if now - (one.gone_at or one.kept_at) > KEPT_FOR_S:
                    self._drop(one)
                    dropped += 1
        return dropped

    def _with_called(self, used: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """These revisions, and those of the flows that they call."""
        found: set[tuple[str, str]] = set()
        waiting = list(used)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                kept = self.find(*one)
                waiting += kept.subflows.items() if kept is not None else ()
        return found

    def _drop(self, one: KeptRevision) -> None:
        path = self._text_path(one.flow, one.revision)
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)

    def _log(self, entry: Mapping[str, Any]) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / _LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry, ensure_ascii=False) + "\n")

    # Reading

    def live(self) -> dict[str, str]:
        """The revision of each flow that is live, as far as the service has ever run."""
        return dict(read_json(self._root / _LIVE) or {})

    def flows(self) -> list[str]:
        """Flows of which anything is kept."""
        return sorted(path.name for path in self._root.glob("*") if path.is_dir())

    def of(self, flow: str) -> list[KeptRevision]:
        """All that is kept of a flow, what was live last first."""
        stays = self._stays(flow)
        found = [self._kept(flow, path, stays.get(path.stem)) for path in (self._root / flow).glob("*.json")]
        return sorted(found, key=lambda one: (one.is_live, one.live_at or one.kept_at), reverse=True)

    def find(self, flow: str, revision: str) -> KeptRevision | None:
        """One of them."""
        path = self._text_path(flow, revision).with_suffix(".json")
        return self._kept(flow, path, self._stays(flow).get(revision)) if path.is_file() else None

    def text_file(self, flow: str, revision: str) -> Path | None:
        """The file with its text."""
        path = self._text_path(flow, revision)
        return path if path.is_file() else None

    def entries(self) -> Iterator[dict[str, Any]]:
        """The log, the earliest first. Lines that are none of ours are passed over."""
        try:
            lines = (self._root / _LOG).read_text("utf-8").splitlines()
        except OSError:
            return
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:  # the disk was full, once
                continue
            if isinstance(entry, dict) and isinstance(entry.get("flows"), dict):
                yield entry

    def _stays(self, flow: str) -> dict[str, _Stay]:
        """The last time that each revision of a flow was live."""
        stays: dict[str, _Stay] = {}
        for entry in self.entries():
            before, now = entry["flows"].get(flow, ("", ""))
            if before in stays:
                stays[before] = replace(stays[before], gone_at=entry["at"])
            if now:
                stays[now] = _Stay(_cause_of(entry), entry["at"])
        return stays

    def _kept(self, flow: str, path: Path, stay: _Stay | None) -> KeptRevision:
        note = read_json(path) or {}
        return KeptRevision(
            flow=flow,
            revision=path.stem,
            kept_at=note.get("at", 0.0),
            file=note.get("file", f"{flow}.yaml"),
            cause=stay.cause if stay else _cause_of(note),
            subflows=note.get("subflows", {}),
            live_at=stay.live_at if stay else None,
            gone_at=stay.gone_at if stay else None,
        )

    def _text_path(self, flow: str, revision: str) -> Path:
        return self._root / flow / f"{revision}.yaml"


@dataclass(frozen=True, slots=True)
class _Stay:
    """A time during which a revision was live, as in `KeptRevision`."""

    cause: Cause
    live_at: float
    gone_at: float | None = None


def _cause_of(entry: Mapping[str, Any]) -> Cause:
    """Of an entry of the log, or of the note beside a text."""
    return Cause(entry.get("by", "start"), entry.get("message", ""), entry.get("who", ""))
