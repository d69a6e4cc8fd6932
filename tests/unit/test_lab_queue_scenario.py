"""Agents and what is expected of queues in a scenario file: what is read, and every fault at its place."""

from __future__ import annotations

import pytest

from cordboard.acd.model import OfferEnd
from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.lab import scenario_expectations as expectations
from cordboard.lab import scenario_steps as steps
from cordboard.lab.scenario import Scenario, parse_scenario

GOOD = """
scenario: Ada waits for Alice
callers:
  - dials: 5002
    does:
      - {hears_music: true}
      - {joined: alice, within_s: 3}
agents:
  alice: {does: [ignores, answers], accepts: null, transfers_to: {blind: 5000}}
  bob: {does: rejects, ready_at_s: null}
expect:
  - {pop: alice, customer.name: Ada Lovelace, dialled: 5002, before: answered}
  - {offers: bob, ended: rejected, times: 2}
  - {ledger: [entered_queue, joined], calls: 1}
  - {kpi: sales, answered: 1, service_level: 0.5}
"""


def parsed(text: str) -> Scenario:
    return parse_scenario(parse_yaml(text.encode(), "s.yaml"))


def test_agents_and_expectations_are_read_as_written() -> None:
    scenario = parsed(GOOD)
    alice, bob = scenario.agents["alice"], scenario.agents["bob"]
    assert [alice.deed(number) for number in range(3)] == ["ignores", "answers", "answers"]
    assert (alice.accepts, alice.ready_at_s, bob.ready_at_s) == (None, 0.0, None)
    assert alice.transfers_to is not None and alice.transfers_to.blind == "5000"
    assert scenario.callers[0].steps[1] == steps.Joined(joined="alice", within_s=3.0)
    pop, offers, ledger, kpi = scenario.expectations
    assert isinstance(pop, expectations.PopExpected)
    assert pop.shown == {"customer.name": "Ada Lovelace", "dialled": "5002"}
    assert offers == expectations.OffersExpected(offers="bob", ended=OfferEnd.REJECTED, times=2)
    assert isinstance(ledger, expectations.LedgerExpected) and ledger.calls == 1
    assert isinstance(kpi, expectations.KpiExpected) and kpi.figures == {"answered": 1.0, "service_level": 0.5}


def test_only_what_baresip_cannot_do_needs_the_labs_own_phone() -> None:
    scenario = parsed(GOOD.replace(", transfers_to: {blind: 5000}", ""))
    assert not scenario.agents["alice"].needs_lab_phone
    assert scenario.agents["bob"].needs_lab_phone
    assert parsed(GOOD).agents["alice"].needs_lab_phone


@pytest.mark.parametrize(
    ("written", "instead", "line", "told"),
    [
        ("joined: alice", "joined: alicia", 7, "`alicia` is no agent of this scenario"),
        ("pop: alice", "pop: carol", 12, "`carol` is no agent of this scenario"),
        ("offers: bob", "offers: rob", 13, "`rob` is no agent of this scenario"),
        ("customer.name", "costumer.name", 12, "a screen-pop does not show `costumer.name`"),
        ("before: answered", "before: lunch", 12, "`lunch`"),
        ("ended: rejected", "ended: refused", 13, "`refused` is not one of `served`, `no_answer`"),
        ("does: rejects", "does: sleeps", 10, "`sleeps`"),
        ("does: rejects", "does: rejects, phone: baresip", 10, "baresip cannot do this: rejects"),
        ("{blind: 5000}", "{}", 9, "write either `blind:` or `attended:`"),
        ("{blind: 5000}", "{blind: 5000, attended: 5001}", 9, "write either `blind:` or `attended:`"),
        ("service_level: 0.5", "service_level: 50", 15, "50 is too big; at most 1"),
    ],
)
def test_a_fault_is_told_at_its_place(written: str, instead: str, line: int, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parsed(GOOD.replace(written, instead, 1))
    (finding,) = caught.value.findings
    assert finding.line == line
    assert told in finding.message
