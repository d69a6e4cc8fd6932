"""Writers of a SQLite file take turns, in whatever process; one that is dead or stopped holds nobody up."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from cordboard.store.database import open_database
from cordboard.store.lock_files import open_lock
from cordboard.store.tables import meta
from cordboard.store.turnstile import Turnstile
from tests.doubles.fuzzing import examples

LONG_S = 60.0  # of which nothing is waited, unless something is wrong


class Writer:
    """Somebody who comes for a turn in a thread of their own, and says when they have it."""

    def __init__(self, path: Path, name: str, order: list[str]) -> None:
        self.turnstile = Turnstile(path, LONG_S)
        self._name, self._order = name, order
        self._thread = threading.Thread(target=self._come, daemon=True)

    def come(self) -> None:
        self._thread.start()

    def _come(self) -> None:
        assert self.turnstile.take()
        self._order.append(self._name)
        self.turnstile.release()

    def gone(self) -> None:
        self._thread.join(LONG_S)
        assert not self._thread.is_alive()
        self.turnstile.close()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Somebody else has this lock."""
    lock = open_lock(path)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


def is_locked(path: Path) -> bool:
    lock = open_lock(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def wait_for_somebody_at_the_gate(path: Path) -> None:
    give_up_at = time.monotonic() + LONG_S
    while not is_locked(Path(f"{path}.gate")):
        assert time.monotonic() < give_up_at
        time.sleep(0.001)  # the kernel tells nobody


@given(turns=st.integers(1, 6))
@examples(1 / 2_400)
def test_who_comes_back_at_once_stands_behind_whoever_has_waited_meanwhile(
    tmp_path_factory: pytest.TempPathFactory, turns: int
) -> None:
    path = tmp_path_factory.mktemp("turns") / "cordboard.db"
    busy = Turnstile(path, LONG_S)
    order: list[str] = []
    assert busy.take()
    for turn in range(turns):
        other = Writer(path, f"other {turn}", order)
        other.come()
        wait_for_somebody_at_the_gate(path)
        busy.release()
        assert busy.take()  # the constant backlog of a busy process
        order.append(f"busy {turn}")
        other.gone()
    assert order == [f"{who} {turn}" for turn in range(turns) for who in ("other", "busy")]
    busy.close()


def test_a_turn_is_for_the_whole_transaction_and_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "cordboard.db"
    engine = open_database(path)
    with engine.begin() as connection:
        assert is_locked(Path(f"{path}.turn"))
        connection.execute(meta.insert().values(key="x", value="y"))
    assert not is_locked(Path(f"{path}.turn"))
    with pytest.raises(ZeroDivisionError), engine.begin():
        raise ZeroDivisionError
    assert not is_locked(Path(f"{path}.turn"))
    engine.dispose()


def test_the_turn_of_a_process_that_is_killed_is_the_next_ones(tmp_path: Path) -> None:
    path = tmp_path / "cordboard.db"
    open_database(path).dispose()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_begin_and_hang, args=(path, there))
    process.start()
    assert here.recv() == "begun"
    order: list[str] = []
    writer = Writer(path, "next", order)
    writer.come()
    wait_for_somebody_at_the_gate(path)
    assert order == []
    process.kill()
    writer.gone()
    process.join(LONG_S)
    with open_database(path).begin() as connection:
        assert connection.execute(select(func.count()).where(meta.c.key == "undone")).scalar_one() == 0


def _begin_and_hang(path: Path, told: Pipe) -> None:
    with open_database(path).begin() as connection:
        connection.execute(meta.insert().values(key="undone", value=""))
        told.send("begun")
        threading.Event().wait(LONG_S)


def test_who_is_stopped_at_the_gate_holds_up_nobody_for_long(tmp_path: Path) -> None:
    path = tmp_path / "cordboard.db"
    turnstile = Turnstile(path, 0.02)
    with held(Path(f"{path}.gate")):
        assert not turnstile.take()
        turnstile.release()
        assert not turnstile.take(), "still in line from the first time"
    turnstile.close()  # whoever stands in line for it goes away when it is their turn
    after = Turnstile(path, LONG_S)
    assert after.take()
    after.close()


def test_a_turn_that_comes_too_late_is_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "cordboard.db"
    late, after = Turnstile(path, 0.02), Turnstile(path, LONG_S)
    with held(Path(f"{path}.turn")):
        assert not late.take()
    assert after.take()
    after.release()
    give_up_at = time.monotonic() + LONG_S
    while not late.take():  # from then on as if nothing had been
        assert time.monotonic() < give_up_at
    late.close()
    after.close()


def test_what_is_written_does_not_wait_for_the_order_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordboard.store.database.BUSY_TIMEOUT_MS", 40)
    engine = open_database(tmp_path / "cordboard.db")
    with held(tmp_path / "cordboard.db.gate"):
        for key in ("a", "b"):
            with engine.begin() as connection:
                connection.execute(meta.insert().values(key=key, value=""))
    engine.dispose()
