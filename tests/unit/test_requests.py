"""How a command tells the running service something and hears what came of it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cordboard.bootstrap.requests import (
    FORGOTTEN_S,
    Answer,
    Request,
    ServiceSilent,
    ask_service,
    waiting_requests,
)
from cordboard.bootstrap.revisions import Cause
from cordboard.bootstrap.state_lock import held_state, holder_of

CAUSE = Cause("publish", "why not", "ada", ("hello",))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "requests").mkdir()
    return tmp_path


@pytest.fixture
def on_sighup() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Play the service: what to do when the signal comes."""
    before = signal.getsignal(signal.SIGHUP)
    yield lambda act: signal.signal(signal.SIGHUP, lambda *_: act()) and None
    signal.signal(signal.SIGHUP, before)


def test_a_request_is_answered(state: Path, on_sighup: Callable[[Callable[[], None]], None]) -> None:
    seen: list[Request] = []

    def answer() -> None:
        seen.extend(waiting_requests(state))
        seen[0].answer(Answer(True, {"hello": ("a", "b")}))

    on_sighup(answer)
    with held_state(state):
        assert ask_service(state, CAUSE, 10) == Answer(True, {"hello": ("a", "b")})
    assert [one.cause for one in seen] == [CAUSE]
    assert list((state / "requests").iterdir()) == []


def test_a_service_that_does_not_answer_is_not_waited_for_for_ever(
    state: Path, on_sighup: Callable[[Callable[[], None]], None]
) -> None:
    on_sighup(lambda: None)
    with held_state(state), pytest.raises(ServiceSilent, match="has not answered within"):
        ask_service(state, CAUSE, 0.1)
    assert waiting_requests(state) == [], "what nobody waits for is not done later"


def test_without_a_service_there_is_nobody_to_ask(state: Path) -> None:
    assert holder_of(state) is None
    assert ask_service(state, CAUSE) is None
    with held_state(state):
        assert holder_of(state) is not None
    assert ask_service(state, CAUSE) is None, "the lock's file is left, and nobody holds it"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": 1}', "\x00"])
def test_what_is_no_request_is_taken_away(state: Path, text: str) -> None:
    (state / "requests" / "1.request.json").write_text(text)
    assert waiting_requests(state) == []
    assert list((state / "requests").iterdir()) == []


def test_what_is_long_forgotten_is_taken_away(state: Path) -> None:
    long_ago = {"at": time.time() - 2 * FORGOTTEN_S}
    (state / "requests" / "1.request.json").write_text(json.dumps(long_ago))
    assert waiting_requests(state) == []
    assert list((state / "requests").iterdir()) == []
