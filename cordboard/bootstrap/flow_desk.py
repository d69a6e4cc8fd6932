"""What `cordboard flow` does: lists revisions, compares them, makes files live, and goes back to an earlier one.

Called by `cli_flows`, which prints what comes back. Faults in flows are no reason not to look at them, or not to go
back: only cordboard.yaml must be readable. Raises NotKnown for a flow or revision that nobody has heard of.
"""

from __future__ import annotations

import hashlib
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cordboard.bootstrap.floor_files import NotKnown, known
from cordboard.bootstrap.flow_files import flow_files
from cordboard.bootstrap.requests import Answer, ask_service
from cordboard.bootstrap.revisions import Cause, KeptRevision, Revisions
from cordboard.bootstrap.whole_files import write_whole
from cordboard.config.yaml_reader import read_yaml
from cordboard.flows.diff import Change, diff_flows
from cordboard.settings import load_settings

LIVE, DRAFT = "live", "draft"
"""Names for the revision that new calls get, and for the file as it is now."""

FileState = Literal["live", "changed", "new", "gone"]


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A flow as it is. live: None if it has never been; file: what the directory has, compared with that."""

    name: str
    live: KeptRevision | None
    file: FileState


@dataclass(frozen=True, slots=True)
class RolledBack:
    """to: the revision whose text is in the file now; kept_as: the name of the text it replaced, "" if that was
    kept already. answer: of the service, None if none runs.
    """

    to: str
    kept_as: str
    answer: Answer | None


class FlowDesk:
    """The flows of one configuration directory and of its state folder. Raises ConfigurationError for settings."""

    def __init__(self, directory: Path) -> None:
        settings, _ = load_settings(directory)
        self.zone = settings.zone
        self.state = Path(os.path.normpath(directory.absolute() / settings.state))
        self._folder = directory / "flows"
        self._active = self.state / "active" / "flows"
        self._revisions = Revisions(self.state)

    # Looking

    def rows(self) -> list[FlowRow]:
        """Every flow that is live or has a file."""
        live, files = self._revisions.live(), flow_files(self._folder)
        active = flow_files(self._active) if self._active.is_dir() else {}
        return [
            FlowRow(
                name,
                self._revisions.find(name, live[name]) if name in live else None,
                _file_state(files.get(name), active.get(name)),
            )
            for name in sorted({**live, **files})
        ]

    def revisions(self, flow: str) -> list[KeptRevision]:
        """Those of a flow that are kept, what was live last first."""
        self._known(flow)
        return self._revisions.of(flow)

    def diff(self, flow: str, before: str, after: str) -> list[Change]:
        """What is different between two revisions, named by `live`, `draft` or the beginning of their names."""
        self._known(flow)
        one, other = (read_yaml(self._text_file(flow, name)) for name in (before, after))
        return diff_flows(one, other)

    # Changing

    def publish(self, flows: Sequence[str], message: str) -> Answer | None:
        """Have the running service take the files, or those of some flows only; None if none runs."""
        for flow in flows:
            self._known(flow)
        return ask_service(self.state, Cause("publish", message, _user(), tuple(flows)))

    def roll_back(self, flow: str, revision: str, message: str) -> RolledBack:
        """Put an earlier text into the flow's file, and have the running service take it. revision: "" for the one
        that was live before. What cannot be made live is taken back.
        """
        self._known(flow)
        kept = self.kept(flow, revision) if revision else self._before(flow)
        file = flow_files(self._folder).get(flow) or self._folder / kept.file
        replaced = file.read_text("utf-8") if file.exists() else None
        kept_as = self._keep(flow, file, kept) if replaced is not None else ""
        write_whole(file, self._text_file(flow, kept.revision).read_text("utf-8"))
        answer = ask_service(self.state, Cause("rollback", message, _user(), (flow,)))
        if answer is not None and not answer.is_live and replaced is not None:
            write_whole(file, replaced)
        return RolledBack(kept.revision, kept_as, answer)

    def _keep(self, flow: str, file: Path, instead: KeptRevision) -> str:
        """Keep a text that is about to be replaced, unless it is here already. Its name, "" for one that was."""
        text = file.read_bytes()
        for one in self._revisions.of(flow):
            if self._text_file(flow, one.revision).read_bytes() == text:
                return ""
        name = hashlib.sha256(text).hexdigest()[:12]
        cause = Cause("rollback", f"replaced by {instead.revision}", _user())
        self._revisions.keep_text(flow, name, file, cause)
        return name

    # Names

    def _known(self, flow: str) -> None:
        known("flow", flow, dict.fromkeys([*(row.name for row in self.rows()), *self._revisions.flows()]))

    def _text_file(self, flow: str, name: str) -> Path:
        if name == DRAFT:
            file = flow_files(self._folder).get(flow)
            if file is None:
                raise NotKnown(f"no file in {self._folder} has the flow `{flow}`")
            return file
        file = self._revisions.text_file(flow, self.kept(flow, name).revision)
        assert file is not None
        return file

    def kept(self, flow: str, name: str) -> KeptRevision:
        """A revision by the beginning of its name, or the live one."""
        kept = self._revisions.of(flow)
        found = [one for one in kept if one.revision.startswith(name) or (name == LIVE and one.is_live)]
        if len(found) == 1:
            return found[0]
        listed = ", ".join(one.revision for one in found or kept) or "none: the service has not run yet"
        problem = "several revisions begin with" if found else "there is no revision"
        raise NotKnown(f"{problem} `{name}` of flow `{flow}`; {'they are' if found else 'known'}: {listed}")

    def _before(self, flow: str) -> KeptRevision:
        """The one that was live before the one that is."""
        earlier = [one for one in self._revisions.of(flow) if one.live_at is not None and not one.is_live]
        if not earlier:
            raise NotKnown(f"no other revision of flow `{flow}` was ever live")
        return earlier[0]


def _file_state(file: Path | None, active: Path | None) -> FileState:
    if file is None or active is None:
        return "gone" if file is None else "new"
    return "live" if file.read_bytes() == active.read_bytes() else "changed"


def _user() -> str:
    """Who types: behind sudo, too."""
    if name := os.environ.get("SUDO_USER"):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
