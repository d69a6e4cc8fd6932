"""Every node type of the flow language on a real Asterisk and FreeSWITCH: a scenario for each verb, judged by what
callers hear.

The scenarios of `node_site/scenarios` are named for their verbs, those in `keys` are about what callers key in. All
are played on one stage of each switch, several at a time. What a node leaves behind is looked at as well: notes,
messages, recordings, requests, and the secrets that must be nowhere. The traces of the two switches must be equal.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import pytest_asyncio

from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.nodes import NODE_TYPES
from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.hearing import tone_share
from cordboard.lab.player import Result, play
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.rtp import SAMPLE_RATE_HZ
from cordboard.lab.scenario import parse_scenario
from cordboard.lab.stage import Stage
from cordboard.lab.stage_parts import ScenarioStage
from tests.contract.stored_traces import Traces, traces_of
from tests.doubles.fake_crm import Behaviour, FakeCrm, Request, answers, response
from tests.live.freeswitch_kit import why_none
from tests.live.scenarios_of_site import is_torn, told
from tests.live.test_speaking import asterisk_sounds

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

SITE = Path(__file__).parent / "node_site"
FILES = {file.stem: file for file in sorted((SITE / "scenarios").glob("**/*.yaml"))}
VERBS = sorted(NODE_TYPES)
KEYS = sorted(file.stem for file in FILES.values() if file.parent.name == "keys")
AT_A_TIME = 4
TRIES = 3  # see `is_torn`
GERMAN = {f"de/words/{number}" for number in (3, 4, 5, 13, 40, 45, 50, 54)}  # of many more; to know all costs time

# An expectation that is wrong, by scenario: what stands there, what is written instead, what the player says of it.
WRONG = {
    "branch": ("hears: british", "hears: elsewhere", "expected `en/branch/elsewhere`, heard `en/branch/british`"),
    "set": ("digits/6", "digits/5", "expected `digits/5`, heard `digits/6`"),
    "hangup": ("is_refused: 486", "is_refused: 404", "expected to be refused with 404"),
    "language": ("de/hello", "en/hello", "expected `en/language/hello`, heard `de/language/hello`"),
    "tag": ("[call_tagged, call_tagged]", "[call_tagged]", "expected 1 call(s) with call_tagged in the ledger"),
}

PAGES: dict[str, Behaviour] = {
    "GET /orders/42": answers({"data": {"parcels": [{"pieces": 7}]}}),
    "GET /orders/50": response(500),
    "POST /calls": response(201),
}


STAGES: dict[str, type[Stage]] = {"asterisk": Stage, "freeswitch": FreeswitchStage}


@pytest.fixture(scope="module", params=STAGES)
def switch(request: pytest.FixtureRequest) -> str:
    """Asterisk comes first, and FreeSWITCH is compared with it."""
    name: str = request.param
    if name == "freeswitch" and (reason := why_none()):
        pytest.skip(reason)
    return name


@pytest.fixture(scope="module")
def traces() -> dict[str, dict[str, Traces]]:
    """What calls have left, by switch and scenario."""
    return {}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shop(switch: str) -> AsyncIterator[FakeCrm]:
    """A web service that knows a few pages; each switch has one."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        page = PAGES.get(f"{request.method} {request.target}", response(404))
        await page(request, writer)

    async with FakeCrm(behave) as double:
        yield double


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(switch: str, shop: FakeCrm) -> AsyncIterator[Stage]:
    async with STAGES[switch](SITE, settings={"CORDBOARD_HTTP__SHOP__URL": shop.url}) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def knowing(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> ScenarioStage:
    """The stage for callers who know what the switch says by itself, too."""
    if isinstance(stage, FreeswitchStage):
        files = freeswitch_sounds(stage)
    else:
        files = await asyncio.to_thread(asterisk_sounds, stage, tmp_path_factory.mktemp("sounds"))
    theirs, ours = PromptBook.from_files(files), stage.book
    known = {name: theirs[name] for name in theirs}
    known |= {name: ours[name] for name in ours if not name.startswith("de/words/") or name in GERMAN}
    return replace(stage.scenario_stage(), book=PromptBook(known))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def results(
    switch: str, stage: Stage, knowing: ScenarioStage, traces: dict[str, dict[str, Traces]]
) -> dict[str, Result]:
    """How all scenarios went, and those with a wrong expectation as "wrong branch"."""
    texts = {name: file.read_text() for name, file in FILES.items()}
    texts |= {f"wrong {name}": made_wrong(name) for name in WRONG}
    turns = asyncio.Semaphore(AT_A_TIME)

    async def played(name: str) -> Result:
        scenario = parse_scenario(parse_yaml(texts[name].encode(), f"{name}.yaml"), knowing.book)
        async with turns:
            for _ in range(TRIES):
                result = await play(scenario, knowing)
                if not is_torn(result):
                    break
            return result

    came = await asyncio.gather(*map(played, texts))
    await stage.pbx.wait_for_no_channels()
    await all_is_written(stage)
    found = dict(zip(texts, came, strict=True))
    traces[switch] = {name: traces_of(stage.configuration.database, found[name]) for name in FILES}
    return found


def made_wrong(name: str) -> str:
    """A scenario with one wrong expectation, whose callers have other numbers than those of the right one."""
    text, (right, wrong, _) = FILES[name].read_text(), WRONG[name]
    assert right in text
    return text.replace(right, wrong).replace("+442079460", "+442079461").replace("+1555", "+1556")


async def test_every_verb_has_a_scenario() -> None:
    assert sorted(set(FILES) - set(KEYS)) == VERBS


@pytest.mark.parametrize("verb", VERBS)
async def test_what_the_node_does_is_heard(stage: Stage, results: dict[str, Result], verb: str) -> None:
    result = results[verb]
    assert result.passed, told(result)
    assert verb in verbs_entered(stage, result), "no call came to such a node"


@pytest.mark.parametrize("name", KEYS)
async def test_what_keys_do_is_heard(results: dict[str, Result], name: str) -> None:
    assert results[name].passed, told(results[name])


@pytest.mark.parametrize("switch", ["freeswitch"], indirect=True)
@pytest.mark.parametrize("name", FILES)
async def test_both_switches_leave_the_same_traces(
    results: dict[str, Result], traces: dict[str, dict[str, Traces]], name: str
) -> None:
    if "asterisk" not in traces:
        pytest.skip("nothing was played on Asterisk")
    assert results[name].passed, told(results[name])
    assert traces["freeswitch"][name] == traces["asterisk"][name]


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_expectation_does_not_come_true(results: dict[str, Result], name: str) -> None:
    faults = results[f"wrong {name}"].faults
    assert len(faults) == 1 and WRONG[name][2] in faults[0], faults


async def test_a_value_that_was_stopped_is_not_heard_to_its_end(results: dict[str, Result]) -> None:
    heard = [line.text for line in results["barge_in"].lines if line.kind == "heard"]
    assert not [text for text in heard if "digits/9" in text or "which" in text], heard


@pytest.mark.usefixtures("results")
async def test_the_service_logged_no_error(stage: Stage) -> None:
    assert not [entry for entry in stage.journal.entries if entry["level"] in ("error", "critical")]


# -- what nodes leave behind --


@pytest.mark.usefixtures("results")
async def test_tags_are_in_the_ledger(stage: Stage) -> None:
    assert noted(stage, "call_tagged", "name", "value") == {("reason", "billing"), ("dialled", "6321")}


@pytest.mark.usefixtures("results")
async def test_a_score_is_in_the_ledger(stage: Stage) -> None:
    assert noted(stage, "survey_answered", "name", "score") == {("csat", 4)}


@pytest.mark.usefixtures("results")
async def test_an_agent_who_called_in_is_at_lunch(stage: Stage) -> None:
    states = "select agent, presence, presence_reason from agent_states where presence_reason <> ''"
    assert rows(stage, states) == {("dora", "paused", "lunch")}


@pytest.mark.usefixtures("results")
async def test_a_callback_is_booked_to_the_callers_number(stage: Stage) -> None:
    booked = "select queue, number, state from callbacks join parties using (party_ref)"
    assert rows(stage, booked) == {("sales", "+29022402", "waiting")}


@pytest.mark.usefixtures("results")
async def test_the_shop_is_asked_by_path_and_told_as_json(shop: FakeCrm) -> None:
    asked = {f"{request.method} {request.target}" for request in shop.requests}
    assert asked == {"GET /orders/42", "GET /orders/43", "GET /orders/50", "POST /calls"}
    bodies = [orjson.loads(request.body) for request in shop.requests if request.method == "POST"]
    assert bodies[0] == {"order": "42", "pieces": 7, "by": "phone"}


@pytest.mark.usefixtures("results")
async def test_the_trace_has_every_node_that_calls_came_to(stage: Stage) -> None:
    entered = {(entry["flow"], entry["node"]) for entry in stage.journal.find("node_entered")}
    passed = "select value ->> 0, value ->> 1 from call_steps, json_each(record, '$.passed')"
    assert rows(stage, passed) == entered


@pytest.mark.usefixtures("results")
async def test_a_transferred_call_is_traced_as_such(stage: Stage) -> None:
    assert rows(stage, "select result from traced_calls where flow = 'transfer'") == {("transferred",)}


@pytest.mark.usefixtures("results")
async def test_messages_and_recordings_hold_what_callers_said(stage: Stage) -> None:
    assert max(tone_s(file, 700) for file in (stage.state / "voicemail" / "desk").glob("*.wav")) > 1.0
    assert max(tone_s(file, 1100) for file in (stage.state / "voicemail" / "flow.messages").glob("*.wav")) > 1.0
    recorded = [tone_s(file, 1100) for file in (stage.state / "recordings").glob("*.wav")]
    assert max(recorded) > 1.0 and min(recorded) == 0.0, "one caller spoke, the other one did not"


@pytest.mark.usefixtures("results")
async def test_a_secret_is_written_nowhere(stage: Stage) -> None:
    written = {file.name: file.read_bytes() for file in stage.state.glob("**/*") if file.is_file()}
    written["log"] = orjson.dumps(stage.journal.entries)
    assert [name for name, text in written.items() if b"46025139" in text], "the account is no secret: it is traced"
    assert not [name for name, text in written.items() if b"73915826" in text or b"73915827" in text]


# -- help --


def freeswitch_sounds(stage: FreeswitchStage) -> dict[str, Path]:
    """What FreeSWITCH says values with in English, by the names that Asterisk has for them."""
    files = (stage.pbx.sound_dir / "en" / "digits").rglob("*.wav")
    return {f"digits/{file.stem}": file for file in files}


def verbs_entered(stage: Stage, result: Result) -> set[str]:
    """The verbs of the nodes that the scenario's own calls came to."""
    flows = stage.configuration.house.flows
    nodes = [line.fields for line in result.lines if line.kind == "node" and line.who]
    return {flows[node["flow"]].shapes[node["node"]].verb for node in nodes}


async def all_is_written(stage: Stage) -> None:
    """Wait until the database has the end of every call, and so everything before it."""
    arrived = len(stage.journal.find("call_arrived"))
    async with asyncio.timeout(5):
        while rows(stage, "select count(*) from traced_calls where ended_at is not null") != {(arrived,)}:
            await asyncio.sleep(0.05)  # no event tells of it


def noted(stage: Stage, kind: str, *fields: str) -> set[tuple[Any, ...]]:
    """These values of all rows of a kind in the ledger."""
    values = ", ".join(f"json_extract(data, '$.{field}')" for field in fields)
    return rows(stage, f"select {values} from ledger where kind = '{kind}'")


def rows(stage: Stage, sql: str) -> set[tuple[Any, ...]]:
    """What the service's database says."""
    with contextlib.closing(sqlite3.connect(stage.configuration.database)) as database:
        return set(database.execute(sql))


def tone_s(file: Path, frequency_hz: float) -> float:
    """For how many seconds a tone is most of what is in a sound file."""
    with wave.open(str(file)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype=np.int16)
    step = SAMPLE_RATE_HZ // 10
    parts = [samples[at : at + step] for at in range(0, len(samples) - step + 1, step)]
    return (
        sum(np.abs(part.astype(float)).max() > 1000 and tone_share(part, frequency_hz) > 0.8 for part in parts) / 10
    )
