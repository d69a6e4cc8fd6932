"""The recording of a call on the wire: when it runs, that no secret falls into it, and that it always goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agi_scripts.phone import AsteriskPhone
from agi_scripts.server import AgiServer
from cordboard.errors import SwitchUnavailable
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.outcomes import Done, Failed, HungUp, NoInput, Outcome
from cordboard.telephony.verbs import Answer, Dial, Extension, Gather, Hangup, Play, RecordCall, Verb
from tests.doubles.fake_asterisk import DEAD, RAN, FakeAsterisk, header_block, new_call
from tests.doubles.fixed_sounds import FixedSounds, prompt

FILE = "01KAJ5Q8XZC3T4V6W7Y8Z9ABCD"
START = RecordCall("start", FILE)
SECRET = Gather((prompt("pin"),), max_digits=4, first_digit_s=2.0, inter_digit_s=1.0, secret=True)


@dataclass
class Channel:
    """What outlives a worker: the channel's variables, and whether MixMonitor runs on it. heard: for each line in
    which the caller can press keys, whether it was recorded.
    """

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    runs: bool = False
    begun: list[str] = field(default_factory=list)
    heard: list[bool] = field(default_factory=list)
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, words: list[str], keys: list[str]) -> str:
        """What Asterisk says to a line. keys: the replies to those in which keys can be pressed."""
        match words:
            case ["EXEC", "MixMonitor", arguments]:
                self.runs = True
                self.begun.append(arguments)
            case ["EXEC", "StopMixMonitor"]:
                self.runs = False
            case ["GET", "VARIABLE", name]:
                return f"200 result=1 ({self.variables[name]})" if self.variables.get(name) else RAN
            case ["GET", "OPTION", *_] | ["WAIT", "FOR", "DIGIT", _]:
                self.heard.append(self.runs)
                return keys.pop(0)
            case ["STREAM", *_]:
                return "200 result=0 endpos=8000"
        return RAN

    async def worker(
        self,
        serve: Callable[[AsteriskPhone], Awaitable[None]],
        keys: list[str],
        *,
        checkpoint: str = "",
        outlives: bool = False,
    ) -> None:
        """One worker has the call, until it lets go or until `keys` are used up: then it is lost, or `outlives` a
        caller who presses nothing.
        """
        server = AgiServer(
            "127.0.0.1", 0, serve, FixedSounds(), recordings_root=self.root, calls_root=self.root / "calls"
        )
        await server.start()
        block = header_block(arguments=new_call(call_id=new_call_id() if checkpoint else "", checkpoint=checkpoint))
        try:
            async with await FakeAsterisk.connect(server.port, block) as asterisk:
                asterisk.variables = self.variables
                while words := await asterisk.next_verb():
                    if words[:2] in (["GET", "OPTION"], ["WAIT", "FOR"]) and not keys:
                        self.heard.append(self.runs)
                        self.is_asked.set()
                        if outlives:
                            continue
                        break
                    asterisk.reply(self.answer(words, keys))
            assert await server.wait_idle(5), "the worker has seen the end"
        finally:
            await server.aclose()


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    return Channel(tmp_path)


async def perform(channel: Channel, *verbs: Verb, keys: list[str] | None = None, at: str = "") -> list[object]:
    """What verbs come to on one worker; at: where the call has come back from. A lost link is the last outcome."""
    outcomes: list[object] = []

    async def serve(phone: AsteriskPhone) -> None:
        for number, verb in enumerate(verbs):
            try:
                outcomes.append(await phone.perform(verb, f"cp:{number}"))
            except SwitchUnavailable as lost:
                outcomes.append(lost)
                return
        await phone.hand_over("cp:9")

    await channel.worker(serve, keys or [], checkpoint=at)
    return outcomes


async def test_a_recording_begins_in_a_file_of_its_own_and_is_continued_there(channel: Channel) -> None:
    outcomes = await perform(
        channel, START, START, RecordCall("pause"), RecordCall("resume"), RecordCall("stop"), START
    )
    assert outcomes == [Done()] * 6
    path = channel.root / "calls" / f"{FILE}.wav"
    assert channel.begun == [f"{path},a"] * 3, "begun, resumed, begun again after the stop"
    assert channel.variables["CORDBOARD_RECORDING"] == f"on:{path}"
    assert path.parent.is_dir()


async def test_steering_what_is_not_recorded_does_nothing(channel: Channel) -> None:
    assert await perform(channel, *(RecordCall(action) for action in ("pause", "resume", "stop"))) == [Done()] * 3  # type: ignore[arg-type]
    assert channel.begun == [] and "CORDBOARD_RECORDING" not in channel.variables


@pytest.mark.parametrize("file", ["", "..", "a/b", "../x", "a,b", "a" * 101, "a\nb"])
async def test_a_recording_stays_in_its_folder(channel: Channel, file: str) -> None:
    (outcome,) = await perform(channel, RecordCall("start", file))
    assert isinstance(outcome, Failed) and channel.begun == []


async def test_a_folder_whose_name_means_something_to_asterisk_is_refused(tmp_path: Path) -> None:
    (outcome,) = await perform(Channel(tmp_path / "a,b"), START)
    assert isinstance(outcome, Failed)


@pytest.mark.parametrize("action", ["pause", "stop"])
async def test_what_the_flow_has_paused_or_stopped_stays_so_through_a_secret(channel: Channel, action: str) -> None:
    await perform(channel, START, RecordCall(action), SECRET, keys=["200 result=0 endpos=80"])  # type: ignore[arg-type]
    assert not channel.runs and channel.heard == [False]


# Everything that can become of a secret question, with the replies to its lines.
KEY, NONE = "200 result=49", "200 result=0"
ENDS = {
    "full": [f"{KEY} endpos=80", KEY, KEY, KEY],
    "one key and a pause": [f"{KEY} endpos=80", NONE],
    "three keys and a pause": [f"{KEY} endpos=80", KEY, KEY, NONE],
    "a key that no telephone has": [f"{KEY} endpos=80", "200 result=65", NONE],
    "silence": ["200 result=0 endpos=80"],
    "no sound": ["200 result=0 endpos=0"],
    "no sound, in other words": ["200 result=-1 endpos=0"],
    "waiting fails": [f"{KEY} endpos=80", "200 result=-1"],
}


@pytest.mark.parametrize("keys", ENDS.values(), ids=ENDS)
async def test_however_a_secret_question_ends_the_recording_goes_on(channel: Channel, keys: list[str]) -> None:
    await perform(channel, START, SECRET, Answer(), keys=list(keys))
    assert channel.runs and not any(channel.heard)


@pytest.mark.parametrize("pressed", range(4))
@pytest.mark.parametrize(
    "next_verb", [Answer(), Play((prompt("sorry"),)), Dial((Extension("1", "PJSIP/1"),), 5), Hangup()], ids=repr
)
async def test_a_worker_lost_in_a_secret_question_leaves_it_paused_and_the_next_resumes_it(
    channel: Channel, pressed: int, next_verb: Verb
) -> None:
    keys = [f"{KEY} endpos=80", KEY, KEY][:pressed]
    outcomes = await perform(channel, START, SECRET, keys=keys)
    assert isinstance(outcomes[-1], SwitchUnavailable)
    assert not channel.runs, "the caller may be pressing keys still"
    await perform(channel, next_verb, at="cp:1")
    assert channel.runs and not any(channel.heard)


async def test_a_worker_that_asks_the_secret_question_again_resumes_after_it(channel: Channel) -> None:
    await perform(channel, START, SECRET, keys=[f"{KEY} endpos=80"])
    assert await perform(channel, SECRET, at="cp:1", keys=["200 result=0 endpos=80"]) == [NoInput()]
    assert channel.runs and not any(channel.heard)


async def test_each_time_a_worker_is_lost_before_it_could_note_what_it_did_nothing_of_the_secret_is_recorded(
    channel: Channel,
) -> None:
    """It dies between the note and the line that follows it: the next one does not trust the note alone."""
    await perform(channel, START)
    channel.variables["CORDBOARD_RECORDING"] = channel.variables["CORDBOARD_RECORDING"].replace("on:", "secret:")
    await perform(channel, SECRET, at="cp:1", keys=["200 result=0 endpos=80"])
    assert channel.runs and channel.heard == [False]


async def test_letting_go_in_the_middle_of_a_secret_question_leaves_it_paused(channel: Channel) -> None:
    async def serve(phone: AsteriskPhone) -> None:
        await phone.perform(START, "cp:1")
        asking = asyncio.create_task(phone.perform(SECRET, "cp:2"))
        await channel.is_asked.wait()
        phone.let_go()
        with pytest.raises(SwitchUnavailable):
            await asking

    await channel.worker(serve, [], outlives=True)
    assert not channel.runs and channel.variables["CORDBOARD_RECORDING"].startswith("secret:")


async def test_a_caller_who_hangs_up_in_a_secret_question_has_hung_up(channel: Channel) -> None:
    outcomes = await perform(channel, START, SECRET, keys=[f"{KEY} endpos=80", DEAD])
    assert outcomes[-1] == HungUp() and not any(channel.heard)


async def test_an_asterisk_without_mixmonitor_fails(channel: Channel) -> None:
    class Bare(Channel):
        def answer(self, words: list[str], keys: list[str]) -> str:
            return "200 result=-2" if "MixMonitor" in words else super().answer(words, keys)

    outcomes: list[Outcome | object] = await perform(Bare(channel.root), START)
    assert isinstance(outcomes[0], Failed)
