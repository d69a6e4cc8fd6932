"""Scripts in real processes: what they return is typed, and no script, however hostile, harms another call."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent

import pytest
import uvloop
from structlog.testing import capture_logs

from cordboard.config.kinds import KindWord
from cordboard.scripts_section import Script, ScriptPoolSection
from cordboard.service import script_pool
from cordboard.service.metrics import Metrics
from cordboard.service.script_pool import ScriptBroken, ScriptPool
from cordboard.service.scripts import Scripts
from cordboard.telephony.outcomes import ScriptEnded, ScriptFailed
from cordboard.telephony.verbs import RunScript

DOUBLES = Path(__file__).parents[1] / "doubles"
LONG_S = 10.0  # of what ends by itself: a loaded machine may take its time
PRICE: dict[str, KindWord] = {"price": "number"}


def scripts_of(
    *functions: str, returns: dict[str, KindWord] | None = None, processes: int = 1, memory_mb: int = 512
) -> Scripts:
    """Functions of `house_scripts`, by their own names."""
    wanted = PRICE if returns is None else returns
    return Scripts(
        {name: Script(entry=f"house_scripts:{name}", returns=wanted) for name in functions},
        ScriptPoolSection(processes=processes, memory_mb=memory_mb),
        DOUBLES,
        Metrics(),
    )


def run_of(
    script: str, timeout_s: float = LONG_S, secrets: dict[str, str] | None = None, **arguments: str
) -> RunScript:
    return RunScript(script, timeout_s, tuple(arguments.items()), tuple((secrets or {}).items()))


async def outcome_of(function: str, timeout_s: float = LONG_S, **arguments: str) -> ScriptEnded | ScriptFailed:
    scripts = scripts_of(function)
    try:
        return await scripts.run("call", run_of(function, timeout_s, **arguments))
    finally:
        await scripts.aclose()


@pytest.fixture
async def pool() -> AsyncIterator[ScriptPool]:
    """One process at a time."""
    pool = ScriptPool(DOUBLES / "scripts", 1, 512)
    yield pool
    await pool.aclose()


async def called(pool: ScriptPool, function: str, timeout_s: float = LONG_S, **arguments: str) -> object:
    return await pool.call(function, f"house_scripts:{function}", arguments, timeout_s, is_silent=False)


async def gone(pidfd: int) -> None:
    """Until the process has ended."""
    try:
        readable, _, _ = await asyncio.to_thread(select.select, [pidfd], [], [], LONG_S)
    finally:
        os.close(pidfd)
    assert readable, "it lives on"


async def written(path: Path) -> int:
    """The process id that a script wrote."""
    async with asyncio.timeout(LONG_S):
        while not (path.exists() and path.read_text()):
            await asyncio.sleep(0.01)
    return int(path.read_text())


# what they return


async def test_a_script_is_given_its_arguments_by_name_and_its_values_are_typed() -> None:
    scripts = scripts_of("quote", returns={"price": "number", "text": "text"})
    outcome = await scripts.run("call", run_of("quote", secrets={"pin": "1234"}, order="17"))
    assert outcome == ScriptEnded({"price": 12.5, "text": "17 4"})
    await scripts.aclose()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("nothing", "it returned no mapping of plain values"),
        ("text", "it returned no mapping of plain values"),
        ("list", "it returned no mapping of plain values"),
        ("wrong type", "`price` is no number"),
        ("true", "`price` is no number"),
        ("too little", "it returned no `price`"),
        ("null", "it returned no `price`"),
        ("too much", "it returned more than the settings declare"),
        ("object", "it returned no mapping of plain values"),
        ("inside", "it returned no mapping of plain values"),
        ("NaN", "it returned no mapping of plain values"),
        ("infinity", "it returned no mapping of plain values"),
        ("huge", "`price` is no number"),
        ("long", "it returned no mapping of plain values"),
        ("set", "it returned no mapping of plain values"),
        ("bytes", "it returned no mapping of plain values"),
        ("class", "it returned no mapping of plain values"),
    ],
)
async def test_what_it_must_not_return(what: str, reason: str) -> None:
    assert await outcome_of("gives", what=what) == ScriptFailed(reason)


async def test_a_script_that_declares_nothing_may_return_nothing() -> None:
    scripts = scripts_of("gives", returns={})
    assert await scripts.run("call", run_of("gives", what="nothing")) == ScriptEnded({})
    await scripts.aclose()


async def test_a_script_that_has_left_the_settings() -> None:
    outcome = await scripts_of("quote").run("call", run_of("quite"))
    assert outcome == ScriptFailed("there is no such script in the settings any more")


# what they do to themselves


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("circle", "it returned no mapping of plain values"),
        ("leaves", "it raised SystemExit"),
        ("interrupts", "it raised KeyboardInterrupt"),
        ("dies", "it ended without an answer"),
        ("kills_itself", "it ended without an answer"),
        ("crashes", "it ended without an answer"),
        ("recurses", "it raised RecursionError"),
        ("eats", "it raised MemoryError"),
        ("floods", "it printed more than 65536 bytes"),
        ("closes_everything", "it ended without an answer"),
        ("forges", "its process ended"),
        ("NO_FUNCTION", "it cannot be imported (TypeError)"),
        ("nobody", "it cannot be imported (AttributeError)"),
    ],
)
async def test_a_script_that_breaks_is_an_outcome_and_the_next_call_is_as_ever(function: str, reason: str) -> None:
    scripts = scripts_of(function, "counts")
    with capture_logs() as lines:
        assert await scripts.run("call", run_of(function)) == ScriptFailed(reason)
    (line,) = [one for one in lines if one["log_level"] == "warning"]
    assert line == {"event": "script_failed", "call_id": "call", "script": function, "reason": reason,
                    "log_level": "warning"}  # fmt: skip
    assert await scripts.run("call", run_of("counts")) == ScriptEnded({"price": 1.0})
    await scripts.aclose()


async def test_a_fault_does_not_tell_what_the_script_was_given(capfd: pytest.CaptureFixture[str]) -> None:
    scripts = scripts_of("raises", "prints")
    with capture_logs() as lines:
        outcome = await scripts.run("call", run_of("raises", secrets={"secret": "918273"}))
        await scripts.run("call", run_of("prints", secrets={"text": "918273"}))
        await scripts.aclose()
    assert outcome == ScriptFailed("it raised ValueError")
    assert "918273" not in f"{lines} {outcome} {capfd.readouterr()}"


async def test_what_a_script_prints_is_in_the_log_at_debug() -> None:
    scripts = scripts_of("prints")
    with capture_logs() as lines:
        assert isinstance(await scripts.run("call", run_of("prints", text="hello")), ScriptEnded)
        await scripts.aclose()  # which waits for what was printed
    printed = [line for line in lines if line["event"] == "script_printed"]
    assert [(line["text"], line["log_level"]) for line in printed] == [("hello", "debug")] * 2


async def test_a_script_has_no_input_and_sees_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORDBOARD_SECRET", "918273")
    assert await outcome_of("reads") == ScriptEnded({"price": 0.0})
    assert await outcome_of("looks_around") == ScriptEnded({"price": 0.0})


def test_it_sees_no_more_where_uvloop_starts_it() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(outcome_of("looks_around")) == ScriptEnded({"price": 0.0})


# what they do to others


async def test_nothing_of_a_call_meets_the_next_one(pool: ScriptPool) -> None:
    for _ in range(3):
        assert await called(pool, "counts") == {"price": 1.0}
    await called(pool, "leaves_things_behind")  # a thread and an alarm that would end the process 50 ms later
    for _ in range(60):
        assert await called(pool, "counts") == {"price": 1.0}


async def test_a_script_that_loops_is_killed_at_its_deadline() -> None:
    assert await outcome_of("loops", 0.3) == ScriptFailed("it did not end within 0.3 s")


async def test_others_run_while_a_script_loops() -> None:
    scripts = scripts_of("loops", "counts", processes=2)
    looping = asyncio.create_task(scripts.run("call", run_of("loops", 5 * LONG_S)))
    for _ in range(3):
        assert await scripts.run("other", run_of("counts")) == ScriptEnded({"price": 1.0})
    assert not looping.done()
    looping.cancel()
    await scripts.aclose()


async def test_a_killed_script_takes_everything_with_it_that_it_has_started(tmp_path: Path) -> None:
    for function in ("sleeps", "spawns"):
        path = tmp_path / function
        scripts = scripts_of(function)
        running = asyncio.create_task(scripts.run("call", run_of(function, 1.0, path=str(path))))
        pidfd = os.pidfd_open(await written(path))
        assert await running == ScriptFailed("it did not end within 1 s")
        await gone(pidfd)
        await scripts.aclose()


async def test_processes_forked_by_a_script_do_not_answer_and_do_not_outlive_it(
    pool: ScriptPool, tmp_path: Path
) -> None:
    path = tmp_path / "pid"
    call = asyncio.create_task(called(pool, "forks", path=str(path)))
    pid = await written(path)
    assert await call == {"price": 1.0}
    with contextlib.suppress(ProcessLookupError):  # which is even better
        await gone(os.pidfd_open(pid))
    assert await called(pool, "counts") == {"price": 1.0}


async def test_a_program_that_a_script_leaves_running_ends_with_it(pool: ScriptPool, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    call = asyncio.create_task(called(pool, "leaves_a_program", path=str(path)))
    pid = await written(path)
    assert await call == {"price": 1.0}
    with contextlib.suppress(ProcessLookupError):
        await gone(os.pidfd_open(pid))


async def test_a_caller_who_leaves_ends_the_script(pool: ScriptPool, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    call = asyncio.create_task(called(pool, "sleeps", path=str(path)))
    pidfd = os.pidfd_open(await written(path))
    call.cancel()
    await gone(pidfd)
    assert await called(pool, "counts") == {"price": 1.0}


async def test_no_more_run_at_once_than_there_are_processes(pool: ScriptPool, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    sleeping = asyncio.create_task(called(pool, "sleeps", path=str(path)))
    await written(path)
    with pytest.raises(ScriptBroken, match=r"it did not end within 0\.2 s"):
        await called(pool, "counts", 0.2)
    sleeping.cancel()
    assert await called(pool, "counts") == {"price": 1.0}


async def test_not_all_wait_for_a_process(
    pool: ScriptPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(script_pool, "WAITING_MAX", 2)
    path = tmp_path / "pid"
    sleeping = asyncio.create_task(called(pool, "sleeps", path=str(path)))
    await written(path)
    waiting = [asyncio.create_task(called(pool, "counts")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ScriptBroken, match="too many scripts wait"):
        await called(pool, "counts")
    sleeping.cancel()
    assert await asyncio.gather(*waiting) == [{"price": 1.0}] * 2


async def test_scripts_die_with_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    worker = dedent(f"""
        import asyncio
        from pathlib import Path
        from cordboard.service.script_pool import ScriptPool

        pool = ScriptPool(Path({str(DOUBLES / "scripts")!r}), 1, 512)
        asyncio.run(pool.call("x", "house_scripts:sleeps", {{"path": {str(path)!r}}}, 600, is_silent=False))
    """)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", worker)
    pidfd = os.pidfd_open(await written(path))
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await gone(pidfd)


# before any call


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("house_scripts:quote", ""),
        ("nowhere:quote", "ModuleNotFoundError: No module named 'nowhere'"),
        ("broken_import:quote", "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("leaving_import:quote", "its process ended"),
        ("endless_import:quote", "it did not end within 1 s"),
        ("house_scripts:lost", "AttributeError: module 'house_scripts' has no attribute 'lost'"),
        ("house_scripts:NO_FUNCTION", "TypeError: NO_FUNCTION is no function"),
    ],
)
async def test_why_a_script_cannot_be_imported(
    pool: ScriptPool, monkeypatch: pytest.MonkeyPatch, entry: str, words: str
) -> None:
    monkeypatch.setattr(script_pool, "IMPORT_S", 1.0 if "endless" in entry else LONG_S)
    assert await pool.fault_of("x", entry) == words


async def test_scripts_are_imported_before_the_first_caller_comes() -> None:
    scripts = scripts_of("quote", "lost")
    with capture_logs() as lines:
        scripts.warm()
        assert scripts._warming is not None
        await scripts._warming
    assert [(line["event"], line["script"]) for line in lines] == [("script_unusable", "lost")]
    await scripts.aclose()


async def test_a_reload_takes_what_is_on_the_disk_now(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    file = tmp_path / "scripts" / "prices.py"
    file.write_text("def quote(): return {'price': 1}")
    section, pool = {"quote": Script(entry="prices:quote", returns=PRICE)}, ScriptPoolSection(processes=1)
    scripts = Scripts(section, pool, tmp_path, Metrics())
    assert await scripts.run("call", run_of("quote")) == ScriptEnded({"price": 1.0})
    file.write_text("def quote(): return {'price': 2}")
    assert await scripts.run("call", run_of("quote")) == ScriptEnded({"price": 1.0})
    scripts.use(section, pool)
    assert await scripts.run("call", run_of("quote")) == ScriptEnded({"price": 2.0})
    await scripts.aclose()
