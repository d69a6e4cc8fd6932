"""How `cordboard flow publish` asks the running service for something, and hears what came of it.

A request is a file in `<state>/requests`; SIGHUP says that there is one, and the answer is another file beside it.
The supervisor answers every request it finds. Nobody waits for ever: a service that does not answer is an error,
and requests which nobody took away are forgotten after some time.
"""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cordboard.bootstrap.revisions import Cause
from cordboard.bootstrap.state_lock import holder_of
from cordboard.bootstrap.whole_files import read_json, write_json
from cordboard.errors import CordboardError

FOLDER = "requests"  # made by the service, which must be able to write there
ANSWER_S = 120.0  # a service that must speak many new prompts first takes its time
FORGOTTEN_S = 600.0
_REQUEST, _ANSWER = ".request.json", ".answer.json"


class ServiceSilent(CordboardError):
    """The service cannot be told, or does not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request. changed: revisions before and after, by flow; findings: why it was refused, if so;
    message: the same in words, where no file is to blame.
    """

    is_live: bool
    changed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    findings: tuple[Mapping[str, Any], ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One that waits for its answer."""

    file: Path
    cause: Cause

    def answer(self, answer: Answer) -> None:
        """Say what came of it. Raises OSError."""
        write_json(_answer_file(self.file), asdict(answer))
        self.file.unlink(missing_ok=True)


def waiting_requests(state: Path) -> list[Request]:
    """Those that nobody has answered, the earliest first. What is no request is taken away."""
    found = []
    for file in sorted((state / FOLDER).glob(f"*{_REQUEST}")):
        cause = _cause_in(read_json(file))
        if cause is None:
            file.unlink(missing_ok=True)
        else:
            found.append(Request(file, cause))
    return found


def _cause_in(data: Any) -> Cause | None:
    """What is asked for; None for what is no request, and for one whose asker has given up long ago."""
    try:
        is_late = time.time() - data["at"] > FORGOTTEN_S
        return None if is_late else Cause(data["by"], data["message"], data["who"], tuple(data["flows"]))
    except (KeyError, TypeError):
        return None


def ask_service(state: Path, cause: Cause, answer_s: float = ANSWER_S) -> Answer | None:
    """Have the running service do it; None if none runs. Raises ServiceSilent, OSError."""
    pid = holder_of(state)
    if pid is None:
        return None
    file = state / FOLDER / f"{time.time_ns()}-{uuid.uuid4().hex[:8]}{_REQUEST}"
    try:
        write_json(file, {"at": time.time(), **asdict(cause)})
        _hurry(pid)
        return _answered(_answer_file(file), answer_s)
    finally:
        file.unlink(missing_ok=True)
        _answer_file(file).unlink(missing_ok=True)


def _hurry(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError as refused:
        raise ServiceSilent(f"only root and its own user may signal the service (pid {pid})") from refused
    except ProcessLookupError as ended:
        raise ServiceSilent("the service has just ended") from ended


def _answered(file: Path, answer_s: float) -> Answer:
    """The answer, as soon as it is there. Raises ServiceSilent."""
    for data in _looks(lambda: read_json(file), file.parent, answer_s):
        if data is not None:
            changed = {flow: (before, now) for flow, (before, now) in data["changed"].items()}
            return Answer(data["is_live"], changed, tuple(data["findings"]), data["message"])
    raise ServiceSilent(f"the service has not answered within {answer_s:.0f} s; its log may say why")


def _looks(look: Callable[[], Any], folder: Path, longest_s: float) -> Iterator[Any]:
    """What `look` gives after each change in a folder, until the time is over."""
    from watchfiles import watch  # for those who ask; the supervisor only answers

    until = time.monotonic() + longest_s
    # The first look comes when the folder is watched already: with a short time-out, then upon each event.
    for _ in watch(folder, step=10, debounce=50, rust_timeout=200, yield_on_timeout=True, recursive=False):
        yield look()
        if time.monotonic() > until:
            return


def _answer_file(request: Path) -> Path:
    return request.with_name(request.name.removesuffix(_REQUEST) + _ANSWER)
