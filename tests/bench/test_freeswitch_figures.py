"""The arithmetic and the judgements of the FreeSWITCH benchmark, on figures made by hand; and that its programs do
the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from cordboard.lab.ports import find_free_ports
from tests.bench.freeswitch.callcenter import PEER, QUEUES, dialplan_of, settings_of
from tests.bench.freeswitch.figures import OURS, PEERS, RATES, TITLES, FreeswitchFigures, SocketCell
from tests.bench.freeswitch.goals import freeswitch_goals
from tests.bench.freeswitch.loads import LONGEST_S
from tests.bench.freeswitch.report import freeswitch_page
from tests.bench.freeswitch.script import DONE, PLACE, STEPS
from tests.bench.programs import speaking_program
from tests.bench.queueing.configuration import agents_of, device_of
from tests.bench.queueing.figures import QueueFigures, Sample
from tests.bench.queueing.sampling import cells_of
from tests.bench.report import Machine
from tests.doubles.fake_freeswitch import FakeFreeswitch
from tests.doubles.fake_freeswitch.channel import Channel
from tests.doubles.fake_freeswitch.connection import Connection

MACHINE = Machine(cores=2, memory_gb=8, cpu="a CPU", versions="some versions")


def _cell(cpu_ms: float, failures: int = 0) -> SocketCell:
    return SocketCell(cpu_ms, 5.0, 300.0, 100, Counter({"no end in time": failures}), 1.0)


def _figures(
    ours_ms: float = 1.0, peers_ms: float = 1.2, joined_ms: float = 90.0, *, is_live: bool = True
) -> FreeswitchFigures:
    """Three rounds, in the last of which everything took twice as long."""
    figures = FreeswitchFigures("FreeSWITCH 1.11", is_live)
    for rate in RATES:
        for name in TITLES:
            cpu_ms = ours_ms if name == OURS else peers_ms
            figures.cells[name, rate] = [_cell(cpu_ms), _cell(cpu_ms), _cell(2 * cpu_ms)]
    if is_live:
        figures.queues = QueueFigures(peer=PEER)
        for cell in cells_of((10,), (1, 50)):
            for side, ms in (("desk", joined_ms), ("floor", joined_ms), (PEER, 100.0)):
                figures.queues.samples[cell, side] = [Sample(ms / 2, ms)] * 3
    return figures


def _missed(figures: FreeswitchFigures) -> list[str]:
    return [goal.text for goal in freeswitch_goals(figures) if not goal.is_met]


def test_good_figures_meet_every_goal() -> None:
    assert _missed(_figures()) == []


def test_a_ratio_is_of_the_same_round() -> None:
    figures = _figures(ours_ms=0.5, peers_ms=1.0)
    figures.cells["asyncio", RATES[0]][0] = _cell(4.0)
    found = figures.ratio("asyncio", RATES[0])
    assert (found.lowest, found.median, found.highest) == (0.125, 0.5, 0.5)


def test_each_worse_figure_misses_its_goals() -> None:
    assert len(_missed(_figures(ours_ms=1.21))) == len(PEERS) * len(RATES)
    assert len(_missed(_figures(joined_ms=100.1))) == 8
    failed = _figures()
    failed.cells["uvloop", RATES[1]][2] = _cell(2.4, failures=1)
    assert _missed(failed) == ["every call of every program goes through the script"]
    assert failed.is_broken()


def test_a_queue_that_was_not_measured_is_a_failure() -> None:
    figures = _figures()
    assert figures.queues is not None and not figures.is_broken()
    figures.queues.leave_out(figures.queues.cells[0], "no talk came")
    assert figures.is_broken()


def test_the_part_of_the_page_leaves_nothing_open() -> None:
    text = freeswitch_page(_figures(), MACHINE, "2026-11-23", "make bench")
    assert "${" not in text
    assert text.startswith("## FreeSWITCH:")
    assert "on a real FreeSWITCH 1.11" in text


def test_figures_of_the_fake_say_so_and_have_no_queues() -> None:
    text = freeswitch_page(_figures(is_live=False), MACHINE, "2026-11-23", "make bench")
    assert "against a fake FreeSWITCH" in text
    assert "CPU of FreeSWITCH" not in text
    assert "Agents and callers were not measured" in text


def test_both_queues_have_the_same_agents_with_the_same_devices() -> None:
    settings = settings_of(QUEUES)
    for queue, count in QUEUES.items():
        agents = agents_of(queue)
        assert settings.count("<agent ") == settings.count("<tier ") == len(agents) == count
        for agent in agents:
            device = device_of(agent).replace("PJSIP/", "user/")
            assert f'<agent name="{agent}" type="callback" contact="[leg_timeout=15]{device}"' in settings
        assert f'data="{queue}"' in dialplan_of(QUEUES)


class _Listening(FakeFreeswitch):
    """A fake that keeps its connections. heard: each that was made, in order."""

    def __init__(self, ports: list[int]) -> None:
        super().__init__(ports)
        self.heard: list[Connection] = []

    async def connect(self, channel: Channel, host: str) -> Connection | None:
        """As any does."""
        connection = await super().connect(channel, host)
        self.heard += [connection] if connection else []
        return connection


def _without_id(command: str, leg_id: str) -> str:
    lines = command.replace(leg_id, "LEG").split("\n")
    return "\n".join(sorted(line for line in lines if not line.startswith("Event-UUID: ")))


async def _ended(event: asyncio.Event) -> None:
    async with asyncio.timeout(LONGEST_S):
        await event.wait()


@pytest.fixture(scope="module")
def sent() -> dict[str, list[str]]:
    """What each program was heard to say, without the ids that only some give."""
    return {}


@pytest.mark.parametrize("program", TITLES)
async def test_each_program_says_the_same(program: str, sent: dict[str, list[str]]) -> None:
    port = find_free_ports()
    async with (
        speaking_program("tests.bench.freeswitch.socket_programs", program, str(port)),
        _Listening([port]) as switch,
    ):
        channel = switch.call()
        await _ended(channel.ended)
        await _ended(switch.heard[0].closed)
    assert channel.variables[PLACE] == DONE
    assert len(channel.executed) == len(STEPS) + 1
    said = [_without_id(command, channel.leg_id) for command in switch.heard[0].sent]
    sent[program] = said
    assert said == next(iter(sent.values()))
