"""The service as real processes, without a PBX: how it starts, reloads, restarts its workers and ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from cordboard.bootstrap.configuration import load_configuration
from cordboard.bootstrap.kept_worker import FAILED_STARTS_MAX, KeptWorker, Patience, WorkerNeverReady
from cordboard.bootstrap.publishing import Publisher
from cordboard.bootstrap.revisions import Cause
from cordboard.bootstrap.worker import WorkerProcess
from cordboard.lab.ports import find_free_ports
from tests.doubles.running_service import FLOW, PLAYED, Service, caller, plays


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    service = Service(tmp_path)
    yield service
    await service.kill()


async def test_sigterm_ends_it_and_its_files_are_nobody_elses(service: Service) -> None:
    await service.start(workers=2)
    service.send(signal.SIGTERM)
    assert await service.ended() == 0
    assert len(service.journal.find("worker_stopped")) == 2
    assert service.journal.find("service_stopped")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (service.state, service.state / "cordboard.db")]
    assert [mode & 0o007 for mode in modes] == [0, 0]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1], ids=lambda number: number.name)
async def test_a_signal_while_it_starts_kills_nobody(service: Service, number: signal.Signals) -> None:
    await service.spawn()
    await _held(service, number)
    service.send(number)
    await service.journal.wait("service_ready", 20)
    if number == signal.SIGUSR1:
        await service.journal.wait("service_rolled", 20)
    service.send(signal.SIGTERM)
    assert await service.ended() == 0


async def test_sigterm_while_it_starts_ends_it(service: Service) -> None:
    await service.spawn()
    await _held(service, signal.SIGTERM)
    service.send(signal.SIGTERM)
    assert await service.ended() == 0


async def test_sigterm_while_prompts_are_spoken_ends_it_and_the_voice_can_be_signalled(service: Service) -> None:
    programs, mask = service.config.parent / "programs", service.config.parent / "mask"
    programs.mkdir()
    script = (  # no shell: that would clear the mask itself
        f"#!{sys.executable}\nimport pathlib, signal, time\n"
        f"pathlib.Path({str(mask)!r}).write_text(str(signal.pthread_sigmask(signal.SIG_BLOCK, [])))\n"
        "time.sleep(60)\n"
    )
    for name in ("espeak-ng", "sox"):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    (service.config / "prompts" / "en" / "hello.wav").unlink()
    await service.spawn(PATH=str(programs))
    async with asyncio.timeout(10):
        while not (mask.exists() and mask.read_text()):
            await asyncio.sleep(0.01)
    assert mask.read_text() == "set()"
    service.send(signal.SIGTERM)
    assert await service.ended(30) == 0


async def test_sigterm_while_a_worker_is_started_again_ends_it(service: Service) -> None:
    await service.start()
    os.kill(service.worker_pid(), signal.SIGKILL)
    await service.journal.wait("worker_ended", 20)
    service.send(signal.SIGTERM)
    assert await service.ended(30) == 0


@pytest.mark.parametrize("kind", ["AGI", "HTTP"])
async def test_a_taken_port_is_told_in_one_sentence_and_ends_it(service: Service, kind: str) -> None:
    port = service.agi_port if kind == "AGI" else service.http_port
    with socket.create_server(("127.0.0.1", port)):
        await service.spawn()
        assert await service.ended(60) == 3
    assert not service.journal.find("worker_ready"), "it took calls without all it needs"
    fix = (
        f"write another in cordboard.yaml (`listen: {{{kind.lower()}: {{port: ...}}}}`), or see `cordboard doctor`"
    )
    said = f"{kind} port 127.0.0.1:{port} of worker 0 is in use; {fix}"
    assert [entry["reason"] for entry in service.journal.find("worker_not_started")] == [said]
    assert service.complaints == [f"cordboard: worker 0 ended 3 times before it was ready: {said}"]


async def test_a_taken_desk_port_ends_no_service_and_the_desk_comes_once_it_is_free(service: Service) -> None:
    service.add_agent()
    with socket.create_server(("127.0.0.1", service.desk_port)):
        await service.start()
        assert service.journal.find("worker_ready")
        told = await service.journal.wait("desk_not_started", 10)
        assert told["level"] == "error"
        assert told["reason"].startswith(f"desk port 127.0.0.1:{service.desk_port} is in use; write another")
        await asyncio.sleep(1.5)  # it is tried again meanwhile, twice at least
        async with await caller(service) as asterisk:
            assert await plays(asterisk)
    await service.journal.wait("desk_ready", 15)
    assert len(service.journal.find("desk_not_started")) == 1
    service.send(signal.SIGTERM)
    assert await service.ended() == 0
    assert service.complaints == []


async def test_a_second_service_on_the_same_state_is_refused_and_harms_nobody(service: Service) -> None:
    await service.start()
    assert service.process is not None
    first, active = service.process, (service.state / "active").readlink()
    wakes = (service.state / "wakes" / "worker-0.sock").stat().st_ino
    service.agi_port, service.http_port = find_free_ports(2), find_free_ports(2)
    await service.spawn()
    assert await service.ended(30) == 3
    assert service.complaints == [f"cordboard: {service.state} is in use by another Cordboard (pid {first.pid})"]
    assert (service.state / "active").readlink() == active
    assert (service.state / "wakes" / "worker-0.sock").stat().st_ino == wakes
    first.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(first.wait(), 15) == 0


async def test_a_worker_started_by_hand_takes_no_wakes_from_the_one_that_runs(service: Service) -> None:
    await service.start()
    wakes = service.state / "wakes" / "worker-0.sock"
    before = wakes.stat().st_ino
    second = await service.run("worker")
    assert "of worker 0 is in use" in second
    assert wakes.stat().st_ino == before


@pytest.mark.parametrize("rule", ["10XX: PJSIP/{ext}", "_10XX.: PJSIP/1"])
async def test_a_bad_dial_rule_is_refused_with_its_place(service: Service, rule: str) -> None:
    await service.start()
    (service.config / "cordboard.yaml").write_text(f"log: {{format: json}}\nextensions:\n  {rule}\n")
    service.send(signal.SIGHUP)
    refused = await service.journal.wait("configuration_refused", 10)
    assert (refused["code"], refused["line"]) == ("bad-dial-rule", 3)
    service.send(signal.SIGTERM)
    assert await service.ended() == 0
    assert service.complaints == []


async def test_a_fault_of_ours_in_a_reload_is_told_as_a_refusal(tmp_path: Path, monkeypatch: Any) -> None:
    Service(tmp_path)
    settings = {"CORDBOARD_STATE": str(tmp_path / "state")}
    configuration = load_configuration(tmp_path / "config", environment=settings, need_secrets=False)

    def broken(*_: object) -> None:
        raise ValueError("nobody thought of this")

    monkeypatch.setattr("cordboard.bootstrap.publishing.load_configuration", broken)
    with structlog.testing.capture_logs() as entries:
        monkeypatch.setattr("cordboard.bootstrap.publishing.log", structlog.get_logger())
        published, answer = await Publisher(configuration).try_take(Cause("reload"))
    (entry,) = entries
    assert (entry["event"], entry["message"]) == ("configuration_refused", "ValueError: nobody thought of this")
    assert (published, answer.is_live, answer.message) == (None, False, entry["message"])


async def test_a_state_folder_that_cannot_be_written_is_told_in_one_sentence(service: Service) -> None:
    service.state.write_text("a file")
    await service.spawn()
    assert await service.ended() == 3
    assert service.complaints == [f"cordboard: {service.state} cannot be written: File exists"]


async def test_what_a_dead_service_left_does_not_keep_the_next_from_starting(service: Service) -> None:
    (service.state / "active-1" / "flows").mkdir(parents=True)
    (service.state / "active-1.link").symlink_to(service.state / "active-1")
    await service.start()
    assert len(list(service.state.glob("active-*"))) == 1


async def test_a_rolling_restart_replaces_each_worker(service: Service) -> None:
    await service.start(workers=2)
    before = [service.worker_pid(worker) for worker in range(2)]
    service.send(signal.SIGUSR1)
    await service.journal.wait("service_rolled", 30)
    await service.events("worker_ready", 4)  # the line of a worker may come after the supervisor's
    assert not {service.worker_pid(worker) for worker in range(2)} & set(before)
    ended = service.journal.find("worker_ended")
    assert [(entry["worker"], entry["level"], entry["code"]) for entry in ended] == [(0, "info", 0), (1, "info", 0)]


async def test_a_reload_and_a_rolling_restart_do_not_mix(service: Service) -> None:
    await service.start(workers=2)
    (service.config / "numbers.yaml").write_text("default: gone\n")
    service.send(signal.SIGUSR1)
    await service.journal.wait("draining", 10)  # of two signals at once the kernel delivers SIGHUP first
    service.send(signal.SIGHUP)
    await service.journal.wait("configuration_refused", 30)
    told = [entry["event"] for entry in service.journal.entries]
    assert "service_rolled" in told[: told.index("configuration_refused")]


async def test_a_fault_is_told_with_the_file_that_the_admin_wrote(service: Service) -> None:
    await service.start()
    file = service.config / "flows" / "hello.yaml"
    file.write_text(FLOW.replace("next: bye", "next: by"))
    service.send(signal.SIGHUP)
    refused = await service.journal.wait("configuration_refused", 10)
    assert (refused["file"], refused["line"]) == (str(file), 6)
    assert len(list(service.state.glob("active-*"))) == 1
    assert "next: bye" in (service.state / "active" / "flows" / "hello.yaml").read_text()


async def test_a_reload_tells_what_needs_a_restart(service: Service) -> None:
    await service.start()
    (service.config / "cordboard.yaml").write_text(
        "log: {format: json}\ndrain_s: 7\nmax_calls: 9\nzone: Asia/Tokyo\n"
    )
    service.send(signal.SIGHUP)
    needed = await service.journal.wait("restart_needed", 10)
    assert needed["settings"] == ["max_calls", "drain_s"]
    await service.journal.wait("configuration_loaded", 10)


async def test_a_configuration_whose_prompts_cannot_be_played_is_refused(service: Service) -> None:
    programs = service.config.parent / "programs"
    programs.mkdir()
    await service.start(PATH=str(programs))  # no espeak-ng there: only what is recorded can be played
    flow = service.config / "flows" / "hello.yaml"
    flow.write_text(FLOW.replace("prompts: {", 'prompts: {more: {en: "more"}, '))
    service.send(signal.SIGHUP)
    faulty = await service.journal.wait("prompt_unplayable", 10)
    assert (faulty["level"], faulty["flow"], faulty["prompt"]) == ("error", "hello", "more")
    refused = await service.journal.wait("configuration_refused", 10)
    assert refused["message"] == "1 prompts cannot be played"
    assert "more" not in (service.state / "active" / "flows" / "hello.yaml").read_text()


async def test_prompts_that_cannot_be_played_are_told_of_one_by_one_up_to_a_number(service: Service) -> None:
    texts = ", ".join(f'p{number}: {{en: "text {number}"}}' for number in range(25))
    (service.config / "flows" / "hello.yaml").write_text(FLOW.replace("prompts: {", f"prompts: {{{texts}, "))
    programs = service.config.parent / "programs"
    programs.mkdir()
    await service.start(PATH=str(programs))
    assert len(service.journal.find("prompt_unplayable")) == 20
    assert service.journal.find("prompts_unplayable")[0]["count"] == 25


async def test_when_the_supervisor_dies_its_workers_free_their_ports_for_the_next(service: Service) -> None:
    await service.start(workers=2)
    assert service.process is not None
    service.process.kill()
    await service.ended()  # the pipes are closed when the workers have ended too
    assert len(service.journal.find("worker_stopped")) == 2
    await service.start(workers=2)


async def test_at_the_end_of_the_service_a_live_call_goes_on(service: Service) -> None:
    await service.start()
    async with await caller(service) as asterisk:
        await plays(asterisk)
        service.send(signal.SIGTERM)
        await service.journal.wait("draining", 20)
        with pytest.raises(ConnectionRefusedError):
            await caller(service)
        asterisk.reply(PLAYED)
        assert await plays(asterisk), "the call was given to nobody"
        asterisk.reply(PLAYED)
        assert not await plays(asterisk)
    assert await service.ended() == 0
    assert service.journal.find("call_ended", result="finished")


async def test_when_the_time_is_almost_over_a_live_call_is_handed_over(service: Service) -> None:
    await service.start(CORDBOARD_DRAIN_S="5.5")
    async with await caller(service) as asterisk:
        await plays(asterisk)
        service.send(signal.SIGTERM)
        await service.journal.wait("draining", 20)
        await asyncio.sleep(1.0)  # half a second of it is for going on
        asterisk.reply(PLAYED)
        assert not await plays(asterisk)
    assert await service.ended(4) == 0
    assert service.journal.find("call_handed_over", result="drained")


async def test_at_a_rolling_restart_a_live_call_is_handed_over_at_once(service: Service) -> None:
    await service.start()
    async with await caller(service) as asterisk:
        await plays(asterisk)
        service.send(signal.SIGUSR1)
        await service.journal.wait("draining", 20)
        asterisk.reply(PLAYED)
        assert not await plays(asterisk)
    await service.journal.wait("call_handed_over", 5, result="drained")
    await service.journal.wait("service_rolled", 20)


async def _held(service: Service, number: signal.Signals) -> None:
    """Wait until the process holds a signal back, as it does before it can handle it; nothing tells of that."""
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status")
    async with asyncio.timeout(10):
        while not _has(status.read_text(), "SigBlk", number):
            await asyncio.sleep(0.002)


def _has(status: str, field: str, number: signal.Signals) -> bool:
    bits = next(line.split()[1] for line in status.splitlines() if line.startswith(field))
    return bool(int(bits, 16) >> (number - 1) & 1)


QUICK = Patience(ready_s=2.0, silent_s=2.0, end_s=5.0, roll_s=5.0)
BEATING = """
import os, signal, sys, time
signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
while True:
    os.write(int(sys.argv[1]), b".")
    time.sleep(0.5)
"""
MUTE = "import time; time.sleep(60)"


@contextlib.asynccontextmanager
async def kept(program: str) -> AsyncIterator[KeptWorker]:
    worker = KeptWorker(0, lambda pulse: [sys.executable, "-c", program, str(pulse)], QUICK)
    keeper = worker.start()
    yield worker
    await worker.stop()
    await asyncio.gather(keeper, return_exceptions=True)


async def test_comparing_with_the_switch_is_told_only_when_there_is_news(tmp_path: Path, monkeypatch: Any) -> None:
    Service(tmp_path)
    settings = {"CORDBOARD_STATE": str(tmp_path / "state")}
    configuration = load_configuration(tmp_path / "config", environment=settings, need_secrets=False)
    (tmp_path / "state").mkdir()
    worker = WorkerProcess(configuration, None, 0)
    worker._acd.start()
    with structlog.testing.capture_logs() as entries:
        monkeypatch.setattr("cordboard.bootstrap.worker.log", structlog.get_logger())
        for legs in (set(), set(), {"a"}, {"b"}):
            await worker._forget_ghosts(legs, 0.0)
    await worker._acd.aclose()
    assert [entry["log_level"] for entry in entries] == ["info", "debug", "info", "debug"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is logged."""
    with structlog.testing.capture_logs() as entries:
        monkeypatch.setattr("cordboard.bootstrap.kept_worker.log", structlog.get_logger())
        yield entries


async def test_a_worker_whose_pulse_stops_is_killed_and_started_again(told: list[Any]) -> None:
    async with kept(BEATING) as worker:
        await asyncio.wait_for(worker.ready.wait(), 5)
        worker.send(signal.SIGSTOP)
        async with asyncio.timeout(8):
            while worker.ready.is_set():
                await asyncio.sleep(0.02)
            await worker.ready.wait()
    assert [entry["event"] for entry in told] == ["worker_hung", "worker_ended"]
    assert told[0]["was_ready"] is True


async def test_a_stop_reaches_a_worker_that_is_just_being_started(told: list[Any]) -> None:
    worker = KeptWorker(0, lambda pulse: [sys.executable, "-c", BEATING, str(pulse)], QUICK)
    keeper = worker.start()
    await asyncio.sleep(0)
    await worker.stop()
    assert keeper.done()
    assert told == []


async def test_a_worker_that_hangs_while_it_starts_is_killed(told: list[Any]) -> None:
    async with kept(MUTE), asyncio.timeout(8):
        while not told:
            await asyncio.sleep(0.02)
    assert told[0]["event"] == "worker_hung"
    assert told[0]["was_ready"] is False


async def test_a_program_that_cannot_be_started_is_tried_again_and_leaks_nothing(told: list[Any]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    worker = KeptWorker(0, lambda _pulse: ["/nowhere/program"], QUICK)
    with pytest.raises(WorkerNeverReady):
        await asyncio.wait_for(worker.start(), 10)
    assert [entry["event"] for entry in told] == ["worker_not_started"]
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    await worker.stop()


SLOW_END = """
import os, sys, time
os.write(int(sys.argv[1]), b"!" + b"port 5 is taken " * 20 + b"\\n")
time.sleep(1.3)
sys.exit(3)
"""


async def test_the_reason_is_whole_however_long_the_process_takes_to_end(told: list[Any]) -> None:
    async with kept(SLOW_END), asyncio.timeout(8):
        while not told:
            await asyncio.sleep(0.02)
    assert told[0]["reason"] == ("port 5 is taken " * 20).rstrip()


async def test_what_no_call_needs_is_tried_for_ever(told: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordboard.bootstrap.kept_worker.LONG_PAUSE_S", 0.01)
    often, starts = asyncio.Event(), []

    def command(pulse: int) -> list[str]:
        starts.append(pulse)
        if len(starts) > 2 * FAILED_STARTS_MAX:
            often.set()
        return ["/nowhere/program"]

    desk = KeptWorker("desk", command, QUICK, is_vital=False)
    keeper = desk.start()
    await asyncio.wait_for(often.wait(), 10)
    assert desk.tried.is_set() and not desk.ready.is_set()
    await desk.stop()
    await keeper
    assert [(entry["event"], entry["log_level"]) for entry in told] == [("desk_not_started", "error")]
