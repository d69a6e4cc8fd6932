"""The lab's own PBX: quick to start, on loopback alone, restartable, and gone when its owner is."""

import asyncio
import os
import re
import signal
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from cordboard.errors import LabError
from cordboard.lab import cleanup
from cordboard.lab.engine import ensure_engine
from cordboard.lab.image import ensure_image
from cordboard.lab.pbx import LabPbx
from cordboard.lab.sipp import place_calls
from cordboard.lab.sipp_scenarios import caller_scenario

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

NUMBERS = """\
exten => 700,1,Answer()
 same => n,Wait(0.2)
 same => n,Hangup()
exten => 701,1,Answer()
 same => n,Wait(60)
exten => 702,1,VoiceMail(100@default,s)
"""


@pytest.fixture(scope="module", autouse=True)
def image():
    """The first build takes up to minutes, and is not what these tests measure."""
    with closing(ensure_engine()) as client:
        return ensure_image(client, print)


@pytest.fixture
async def pbx():
    async with LabPbx(extra_dialplan=NUMBERS) as pbx:
        yield pbx


def listeners(pid):
    """The sockets a process listens on, as (protocol, address, port)."""
    sockets = subprocess.run(["ss", "-lntupH"], capture_output=True, text=True, check=True).stdout
    ours = [line.split() for line in sockets.splitlines() if f"pid={pid}," in line]
    return [(line[0], *line[4].rsplit(":", 1)) for line in ours]


def containers_of(mark):
    with closing(ensure_engine()) as client:
        return client.containers.list(all=True, filters={"label": f"{cleanup.OWNER_LABEL}={mark}"})


async def test_it_is_ready_in_seconds_and_leaves_nothing():
    began = time.monotonic()
    async with LabPbx() as pbx:
        assert time.monotonic() - began <= 10.0
        assert await pbx.channels() == []
        assert len(containers_of(cleanup.owner_mark())) == 1
        run_dir = pbx.run_dir
    assert containers_of(cleanup.owner_mark()) == []
    assert not run_dir.exists()


async def test_it_boots_without_a_warning_or_an_error(pbx):
    async with asyncio.timeout(10):  # it answers before the engine has all that it wrote
        while "Asterisk Ready" not in pbx.logs():
            await asyncio.sleep(0.1)
    assert re.findall("^.*(?:WARNING|ERROR).*$", pbx.logs(), re.MULTILINE) == []


async def test_every_listener_is_on_loopback(pbx):
    """But for two ephemeral UDP sockets, which pjproject opens at its start whatever it is told."""
    result = await place_calls(pbx, "700", caller_scenario("1"), calls=1, rate_per_s=10, deadline_s=10)
    assert result.successful == 1
    load = asyncio.create_task(
        place_calls(pbx, "701", caller_scenario("1", hangs_up_after_s=1), calls=5, rate_per_s=50, deadline_s=10)
    )
    await asyncio.sleep(0.5)  # in the middle of the calls, so that RTP is seen too
    addresses = await asyncio.to_thread(listeners, pbx.pid())
    elsewhere = [found for found in addresses if found[1] != "127.0.0.1"]
    assert sorted(found[:2] for found in elsewhere) == [("udp", "0.0.0.0"), ("udp", "[::]")]
    assert ("tcp", "127.0.0.1", str(pbx.ami_port)) in addresses
    assert ("udp", "127.0.0.1", str(pbx.sip_port)) in addresses
    rtp_ports = [int(port) for kind, host, port in addresses if kind == "udp" and 10000 <= int(port) <= 19999]
    assert len(rtp_ports) >= 5
    assert (await load).successful == 5


async def test_load_is_carried_and_counted(pbx):
    result = await place_calls(pbx, "700", caller_scenario("5551234"), calls=50, rate_per_s=50, deadline_s=20)
    assert (result.calls, result.successful, result.failed) == (50, 50, 0)
    assert 0.2 <= result.call_s < 2.0
    assert result.answer_s < 1.0
    await pbx.wait_for_no_channels()


async def test_calls_that_fail_are_counted(pbx):
    scenario = caller_scenario("5551234", limit_s=0.3)
    result = await place_calls(pbx, "701", scenario, calls=2, rate_per_s=10, deadline_s=20)
    assert (result.successful, result.failed) == (0, 2)


async def test_a_load_that_is_not_done_in_time_is_an_error_and_live_channels_are_named(pbx):
    with pytest.raises(LabError, match="SIPp was not done after"):
        await place_calls(pbx, "701", caller_scenario("1"), calls=1, rate_per_s=10, deadline_s=1.0)
    with pytest.raises(LabError, match=r"channels still live.*PJSIP/trunk-"):
        await pbx.wait_for_no_channels(timeout_s=0.2)
    (channel,) = await pbx.channels()
    assert (channel.caller, channel.extension, channel.application) == ("1", "701", "Wait")


async def test_a_message_can_be_left_and_belongs_to_who_runs_the_lab(pbx):
    scenario = caller_scenario("5551234", hangs_up_after_s=2.5)
    await place_calls(pbx, "702", scenario, calls=1, rate_per_s=10, deadline_s=20)
    await pbx.wait_for_no_channels()
    messages = list(pbx.run_dir.glob("spool/voicemail/default/100/*/msg0000.txt"))
    assert len(messages) == 1, pbx.logs()
    assert messages[0].stat().st_uid == os.getuid()


async def test_a_mount_is_read_and_written_at_the_same_path(tmp_path):
    dialplan = f"exten => 703,1,Answer()\n same => n,Record({tmp_path}/message.wav,0,1,y)\n same => n,Hangup()\n"
    async with LabPbx(mounts=[tmp_path], extra_dialplan=dialplan) as pbx:
        await place_calls(pbx, "703", caller_scenario("1"), calls=1, rate_per_s=10, deadline_s=20)
    assert stat.S_ISREG((tmp_path / "message.wav").stat().st_mode)


async def test_an_amis_user_and_a_dialplan_of_ones_own_are_taken():
    files = {
        "cordboard.conf": "[cordboard]\nexten => _X!,1,Answer()\n same => n,Wait(30)\n",
        "manager.d/cordboard.conf": "[cordboard]\nsecret = x\nread = call\nwrite = call\n",
    }
    async with LabPbx(extra_files=files) as pbx:
        assert "cordboard" in await pbx.command("manager show users")
        scenario = caller_scenario("+442079460123", hangs_up_after_s=1)
        load = asyncio.create_task(place_calls(pbx, "5000", scenario, calls=1, rate_per_s=10, deadline_s=10))
        await asyncio.sleep(0.5)
        (channel,) = await pbx.channels()
        assert (channel.context, channel.extension, channel.caller) == ("cordboard", "5000", "+442079460123")
        await load


async def test_it_restarts_on_the_same_ports_after_a_kill(pbx):
    await pbx.kill()
    with pytest.raises(LabError, match="not running"):
        await pbx.channels()
    assert pbx.pid() == 0
    await pbx.restart()
    assert pbx.boot_s <= 3.0
    result = await place_calls(pbx, "700", caller_scenario("1"), calls=1, rate_per_s=10, deadline_s=10)
    assert result.successful == 1


async def test_two_labs_run_beside_each_other(pbx):
    async with LabPbx(extra_dialplan=NUMBERS) as other:
        assert other.sip_port != pbx.sip_port
        for each in (pbx, other):
            result = await place_calls(each, "700", caller_scenario("1"), calls=5, rate_per_s=20, deadline_s=10)
            assert result.successful == 5


async def test_a_pbx_that_cannot_start_says_why_at_once_and_leaves_nothing_behind():
    pbx = LabPbx(user="65534:65534")  # may not even read its configuration
    began = time.monotonic()
    with pytest.raises(LabError, match=r"ended at its start(.|\n)*Permission denied"):
        await pbx.start()
    assert time.monotonic() - began < 15.0
    assert containers_of(cleanup.owner_mark()) == []
    assert not pbx.run_dir.exists()


async def test_a_pbx_that_does_not_answer_in_time_says_so_and_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr("cordboard.lab.pbx.READY_TIMEOUT_S", 0.01)
    pbx = LabPbx()
    with pytest.raises(LabError, match=r"not up after 0\.01 s"):
        await pbx.start()
    assert containers_of(cleanup.owner_mark()) == []
    assert not pbx.run_dir.exists()


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 0.15, 0.2, 0.3])
async def test_a_start_that_is_cancelled_leaves_nothing_behind(after_s):
    pbx = LabPbx()
    starting = asyncio.create_task(pbx.start())
    await asyncio.sleep(after_s)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert containers_of(cleanup.owner_mark()) == []
    assert not pbx.run_dir.exists()


OWNER = """
import asyncio
from cordboard.lab import cleanup
from cordboard.lab.baresip import BaresipPhone
from cordboard.lab.pbx import LabPbx

async def main():
    async with LabPbx() as pbx, BaresipPhone("1001", pbx) as phone:
        print(cleanup.owner_mark(), phone._process.pid, pbx.run_dir, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def owner():
    process = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    mark, phone_pid, run_dir = process.stdout.readline().split()
    yield process, mark, int(phone_pid), Path(run_dir)
    process.stdout.close()


def phone_lives(pid):
    return cleanup._started_at(pid) != ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_owner_removes_everything(owner, number):
    process, mark, phone_pid, run_dir = owner
    process.send_signal(number)
    process.wait(timeout=20)
    assert containers_of(mark) == []
    assert not phone_lives(phone_pid)
    assert not run_dir.exists()


async def test_what_a_killed_owner_left_is_swept_by_the_next_start(owner):
    process, mark, phone_pid, run_dir = owner
    process.kill()
    process.wait(timeout=20)
    assert len(containers_of(mark)) == 1
    assert phone_lives(phone_pid)
    async with LabPbx():
        assert containers_of(mark) == []
        assert not phone_lives(phone_pid)
        assert not run_dir.exists()
