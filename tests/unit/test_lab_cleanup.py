"""Nothing outlives its owner: marks, the sweep of what dead owners left, the end by signals. Real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cordboard.errors import LabError
from cordboard.lab import cleanup


@pytest.fixture(autouse=True)
def own_state_root(tmp_path, monkeypatch):
    monkeypatch.setattr(cleanup.tempfile, "gettempdir", lambda: str(tmp_path))


@pytest.fixture
def dead_owner():
    gone = subprocess.Popen(["sleep", "60"])
    mark = cleanup.owner_mark(gone.pid)
    gone.kill()
    gone.wait()
    return mark


def sleeper(mark):
    return subprocess.Popen(["sleep", "60"], env=cleanup.environment(mark))


def test_this_process_lives_and_a_killed_one_does_not(dead_owner):
    assert cleanup.owner_lives(cleanup.owner_mark())
    assert not cleanup.owner_lives(dead_owner)


def test_a_pid_used_again_does_not_bring_its_owner_back():
    pid, _, started_at = cleanup.owner_mark().partition(".")
    assert not cleanup.owner_lives(f"{pid}.{int(started_at) - 1}")


@pytest.mark.parametrize("mark", ["", "1234", "x.y", "99999999.1"])
def test_a_mark_that_names_nobody_is_dead(mark):
    assert not cleanup.owner_lives(mark)


def test_the_sweep_kills_only_what_a_dead_owner_left(dead_owner):
    orphan, wanted, standing = sleeper(dead_owner), sleeper(None), sleeper(cleanup.STANDING)
    try:
        assert cleanup.sweep_processes() == 1
        assert orphan.wait(timeout=5) == -signal.SIGKILL
        assert wanted.poll() is None
        assert standing.poll() is None
        assert cleanup.sweep_processes(standing=True) == 1
        assert standing.wait(timeout=5) == -signal.SIGKILL
    finally:
        for process in (orphan, wanted, standing):
            process.kill()
            process.wait()


def test_the_sweep_removes_only_a_dead_owners_directories(dead_owner):
    left = cleanup.make_run_dir("pbx", dead_owner)
    wanted = cleanup.make_run_dir("pbx")
    standing = cleanup.make_run_dir("pbx", cleanup.STANDING)
    assert cleanup.sweep_directories() == 1
    assert (left.exists(), wanted.exists(), standing.exists()) == (False, True, True)


def test_the_last_run_directory_takes_its_owners_with_it():
    first, second = cleanup.make_run_dir("a"), cleanup.make_run_dir("b")
    cleanup.remove_run_dir(first)
    assert second.exists()
    cleanup.remove_run_dir(second)
    assert not second.parent.exists()


def test_a_state_directory_that_is_a_link_is_refused(tmp_path):
    (tmp_path / f"cordboard-lab-{os.getuid()}").symlink_to("/etc")
    with pytest.raises(LabError, match="belongs to somebody else"):
        cleanup.state_root()


PROGRAM = """
import asyncio, contextlib, sys
from pathlib import Path
from cordboard.lab import cleanup

@contextlib.asynccontextmanager
async def context():
    try:
        yield
    finally:
        await asyncio.sleep(0)
        Path("context").touch()

async def main():
    cleanup.on_exit(lambda: Path("closer").touch())
    cleanup.on_exit(lambda: 1 / 0)
    taken_back = cleanup.on_exit(lambda: Path("taken-back").touch())
    taken_back()
    async with context():
        print("started", flush=True)
        await asyncio.sleep(60)

if sys.argv[1] == "uvloop":
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_contexts_and_runs_the_closers(tmp_path, loop, number):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, loop], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert program.stdout.readline() == b"started\n"
    began = time.monotonic()
    program.send_signal(number)
    program.wait(timeout=10)
    program.stdout.close()
    assert time.monotonic() - began < 5
    assert {path.name for path in Path(tmp_path).iterdir()} == {"context", "closer"}
    assert program.returncode not in (0, None)
