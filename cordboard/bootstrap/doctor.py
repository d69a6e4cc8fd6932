"""`cordboard doctor`: makes all checks side by side and tells what each has seen. Prints nothing, changes nothing.

A check that is not done within its deadline, or that crashes, is a fault of its own and holds up no other. Nothing
secret leaves: the secrets that are configured are blanked out of every line.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cordboard.bootstrap.agi_token import agi_token
from cordboard.bootstrap.checks import (
    clock,
    configured,
    crm,
    database,
    devices,
    dialplan,
    engine,
    event_socket,
    freeswitch_devices,
    freeswitch_dialplan,
    freeswitch_music,
    listeners,
    manager,
    music,
    ports,
    prompts,
    unix_user,
    versions,
    weak_secrets,
)
from cordboard.bootstrap.checks.premises import NotLookedAt, Premises, survey
from cordboard.bootstrap.checks.result import Check, Level, Result, fault, note
from cordboard.bootstrap.checks.weak_secrets import WELL_KNOWN, configured_secrets
from cordboard.redaction import clean

T = TypeVar("T")

HIDDEN = "********"
SHORTEST_HIDDEN = 4  # less would blank out half of every sentence

CHECKS: tuple[Check, ...] = (
    configured.CHECK,
    versions.CHECK,
    engine.CHECK,
    ports.CHECK,
    listeners.CHECK,
    weak_secrets.CHECK,
    unix_user.CHECK,
    database.CHECK,
    clock.CHECK,
    prompts.CHECK,
    manager.CHECK,
    dialplan.CHECK,
    devices.CHECK,
    music.CHECK,
    event_socket.CHECK,
    freeswitch_dialplan.CHECK,
    freeswitch_devices.CHECK,
    freeswitch_music.CHECK,
    crm.CHECK,
)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check came to, and how long it took."""

    check: str
    results: tuple[Result, ...]
    took_s: float

    @property
    def level(self) -> Level:
        """The worst of it."""
        return max((result.level for result in self.results), default=Level.OK)


def run_doctor(directory: Path, asterisk: Path, freeswitch: Path = Path("/etc/freeswitch")) -> list[Examined]:
    """Everything, in the order of `CHECKS`. Blocks; no longer than the longest deadline."""
    with asyncio.Runner() as runner:
        return runner.run(_examine_in(directory, asterisk, freeswitch))


async def _examine_in(directory: Path, asterisk: Path, freeswitch: Path) -> list[Examined]:
    asyncio.get_running_loop().set_default_executor(Unwaited())
    return await examine(await asyncio.to_thread(survey, directory, asterisk, freeswitch))


def checks_for(premises: Premises) -> list[Check]:
    """All that are about every installation, or about a switch that calls come in on."""
    switches = premises.known_settings.switches if premises.known_settings is not None else ("asterisk",)
    return [check for check in CHECKS if check.switch in ("", *switches)]


async def examine(premises: Premises, checks: Sequence[Check] = ()) -> list[Examined]:
    """What each check says of these premises. checks: all that are about them, unless others are given."""
    try:
        examined = await asyncio.gather(*(_make(check, premises) for check in checks or checks_for(premises)))
    finally:
        premises.close()
    secrets = await asyncio.to_thread(_secrets_of, premises)
    return [_without(secrets, one) for one in examined]


async def _make(check: Check, premises: Premises) -> Examined:
    began = time.monotonic()
    try:
        async with asyncio.timeout(check.deadline_s):
            results = tuple(await check.run(premises))
    except NotLookedAt as reason:
        results = (note(f"not looked at: {reason}"),)
    except TimeoutError:
        results = (fault(f"not done within {check.deadline_s:g} s", check.if_late),)
    except Exception as crash:  # whatever one check does, the others are told
        words = f"{type(crash).__name__}: {crash}".splitlines()[0]
        results = (fault(f"the check itself failed: {words}", "please report it, with this line"),)
    return Examined(check.name, results, time.monotonic() - began)


def _secrets_of(premises: Premises) -> list[str]:
    """Every text that no line may hold, the longest first: one secret may be part of another.

    Where the secret is a word like `asterisk`, the word stays: commands have it, and `secrets` tells of the secret.
    """
    secrets = [
        secret
        for secret in configured_secrets(premises)
        if len(secret) >= SHORTEST_HIDDEN and secret.lower() not in WELL_KNOWN
    ]
    return sorted({*secrets, *map(agi_token, secrets)}, key=len, reverse=True)


def _without(secrets: Iterable[str], examined: Examined) -> Examined:
    """The same with secrets blanked out, and without what could steer a terminal."""
    results = tuple(
        Result(result.level, _blanked(secrets, result.seen), _blanked(secrets, result.fix))
        for result in examined.results
    )
    return Examined(examined.check, results, examined.took_s)


def _blanked(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return clean(text)


class Unwaited(ThreadPoolExecutor):
    """Threads that nobody waits for at the end: a disk or name server that hangs must not hang the doctor."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        threading.Thread(target=_carry_out, args=(future, fn, args, kwargs), daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing to end."""


def _carry_out(future: Future[Any], fn: Callable[..., Any], args: Any, kwargs: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    with suppress(RuntimeError):  # the event loop is gone, as nobody waited
        try:
            result = fn(*args, **kwargs)
        except BaseException as crash:
            future.set_exception(crash)
        else:
            future.set_result(result)
