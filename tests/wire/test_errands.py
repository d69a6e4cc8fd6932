"""What a flow has done without the phone, from the YAML to the web service and the script that really answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from cordboard.bootstrap.configuration import Configuration, load_configuration
from cordboard.flows.run import FlowRun
from cordboard.service.errands import Errands
from cordboard.service.http_requests import HttpRequests
from cordboard.service.metrics import Metrics
from cordboard.service.scripts import Scripts
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import Done, HttpAnswered, Outcome, ScriptEnded
from cordboard.telephony.verbs import ActAsAgent, Hangup, HttpRequest, Note, RequestCallback, RunScript
from tests.doubles.fake_crm import FakeCrm, answers
from tests.doubles.flow_kit import CALL, NOON

FLOW = """
flow: shop
nodes:
  order: {http: orders, get: "/of/{call.ani}", answer: {no: {path: data.no, type: text}}, save: order, next: price}
  price: {script: price, with: {order: {cel: order.no}}, save: quote, next: tag}
  tag: {tag: {price: {cel: quote.price}}, next: bye}
  bye: {hangup: normal}
on_failure: bye
"""


class NotedDown:
    """Takes notes in memory."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str, str]] = []

    async def run(self, call: Call, verb: Note | RequestCallback) -> Outcome:
        """Keep a tag."""
        assert isinstance(verb, Note)
        self.notes.append((call.call_id, verb.name, verb.value))
        return Done()


class NobodyCallsIn:
    """Agents of this flow have desks."""

    async def run(self, call: Call, verb: ActAsAgent) -> Outcome:
        """Never asked."""
        raise AssertionError(verb)


def site(tmp_path: Path, url: str) -> Configuration:
    (tmp_path / "flows").mkdir()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "cordboard.yaml").write_text(
        f"http: {{orders: {{url: '{url}', private: true, headers: {{X-Key: {{file: key}}}}}}}}\n"
        "scripts: {price: {entry: 'prices:quote', params: {order: text}, returns: {price: number}}}\n"
    )
    (tmp_path / "numbers.yaml").write_text("default: shop\n")
    (tmp_path / "flows" / "shop.yaml").write_text(FLOW)
    (tmp_path / "key").write_text("s3cret")
    (tmp_path / "scripts" / "prices.py").write_text("def quote(*, order): return {'price': float(order) / 2}\n")
    return load_configuration(tmp_path, need_secrets=False)


async def test_a_flow_asks_a_service_runs_a_script_and_notes_what_came_of_it(tmp_path: Path) -> None:
    async with FakeCrm(answers({"data": {"no": "17"}})) as web:
        configuration = site(tmp_path, web.url)
        settings, metrics, notes = configuration.settings, Metrics(), NotedDown()
        errands = Errands(
            HttpRequests(configuration.open_web_services(), metrics),
            Scripts(settings.scripts, settings.script_pool, tmp_path, metrics),
            notes,
            NobodyCallsIn(),
        )
        errands.warm()
        step = replace(FlowRun.begin(configuration.house.flows["shop"], CALL), answered=True).start(NOON)
        outcomes: list[Outcome] = []
        while isinstance(step.verb, HttpRequest | RunScript | Note):
            outcomes.append(await asyncio.wait_for(errands.run(CALL, step.verb), 20))
            step = step.run.advance(outcomes[-1], NOON)
        assert outcomes == [HttpAnswered(200, {"no": "17"}), ScriptEnded({"price": 8.5}), Done()]
        assert isinstance(step.verb, Hangup)
        assert notes.notes == [(CALL.call_id, "price", "8.5")]
        (asked,) = web.requests
        assert (asked.target, asked.headers["x-key"]) == ("/of/%2B442079460123", "s3cret")
        await errands.use(configuration.open_web_services(), settings.scripts, settings.script_pool)
        await errands.aclose()
    figures = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }
    assert figures["cordboard_http_requests_total", "orders", "answered"] == 1
    assert figures["cordboard_scripts_total", "price", "returned"] == 1
