"""The `lookup` node: what it asks, what it keeps, what an admin can get wrong."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cordboard.errors import ConfigurationError
from cordboard.flows.checkpoint import parse_checkpoint
from cordboard.flows.flow import Flow
from cordboard.flows.run import Finish, FlowRun, Step
from cordboard.telephony.outcomes import Done, Gathered, HungUp, LookedUp, NotLookedUp
from cordboard.telephony.verbs import Answer, LookUp
from tests.doubles.flow_kit import AROUND, CALL, NOON, faults_of, flow_of, text_of, walk

WHO = """
    who: {lookup: crm, next: tier, on_error: plain}
    tier:
      branch: [{if: "customer.found && customer.tier == 'gold' && customer.visits > 2", then: gold}]
      else: plain
    gold: {play: hello, next: bye}
    plain: {play: sorry, next: bye}
"""
FIELDS = {"name": "Ada", "tier": "gold", "visits": 3, "balance": 12.5, "vip": True}
KEPT = {f"customer.{name}": value for name, value in FIELDS.items()} | {
    "customer.found": True,
    "customer.matches": 1,
}
NOBODY = {
    "customer.found": False, "customer.matches": 0, "customer.name": "", "customer.tier": "", "customer.visits": 0,
    "customer.balance": 0.0, "customer.vip": False,
}  # fmt: skip


def after(outcome: LookedUp | NotLookedUp, nodes: str = WHO) -> Step:
    return walk(flow_of(nodes), [outcome])[-1]


def test_it_asks_about_the_caller_and_does_not_answer_the_call() -> None:
    step = FlowRun.begin(flow_of(WHO), CALL).start(NOON)
    assert step.verb == LookUp(0.8)
    assert not step.run.answered
    assert step.run.advance(LookedUp("found", FIELDS, 1), NOON).verb == Answer()


def test_a_customer_is_kept_and_seen_by_conditions() -> None:
    step = after(LookedUp("found", FIELDS, 1))
    assert step.entered == ("tier", "gold")
    assert step.run.variables == KEPT
    assert type(step.run.variables["customer.balance"]) is float
    assert after(LookedUp("found", {**FIELDS, "visits": 1}, 1)).entered == ("tier", "plain")


def test_of_several_the_best_is_kept_with_their_number() -> None:
    step = after(LookedUp("several", FIELDS, 3, ({"name": "Bob"},)))
    assert step.run.variables == {**KEPT, "customer.matches": 3}


@pytest.mark.parametrize("outcome", [LookedUp("none"), LookedUp("withheld"), LookedUp("none", FIELDS, 9)])
def test_a_miss_is_not_found_and_all_fields_are_empty(outcome: LookedUp) -> None:
    step = after(outcome)
    assert step.entered == ("tier", "plain")
    assert step.run.variables == NOBODY


def test_without_an_answer_the_call_goes_on_at_on_error_and_conditions_still_work() -> None:
    step = after(NotLookedUp("no answer within 0.8 s"))
    assert (step.entered, step.faults, step.run.variables) == (("plain",), (), NOBODY)


def test_an_error_forgets_who_was_found_before() -> None:
    again = "b: {lookup: crm, next: bye, on_error: c}\nc: {play: hello, next: bye}"
    flow = flow_of(f"a: {{lookup: crm, next: b, on_error: b}}\n{again}")
    assert walk(flow, [LookedUp("found", FIELDS, 1), NotLookedUp("late")])[-1].run.variables == NOBODY


def test_without_on_error_it_is_a_fault_of_the_flow() -> None:
    flow = flow_of("a: {lookup: crm, next: bye}\nsafe: {play: sorry, next: bye}", head="on_failure: safe")
    step = walk(flow, [NotLookedUp("no answer within 0.8 s")])[-1]
    assert step.entered == ("safe",)
    assert step.faults == ("a: the CRM gave no answer: no answer within 0.8 s",)


def test_fields_of_another_revision_of_the_crm_cannot_break_a_call() -> None:
    step = after(LookedUp("found", {"name": "Ada", "tier": 5, "visits": True, "new": "x"}, 1))
    assert step.run.variables == {**NOBODY, "customer.found": True, "customer.matches": 1, "customer.name": "Ada"}


BY = """
    ask: {gather: ask, save: typed, next: who}
    who: {lookup: crm, by: {cel: "typed"}, save: customer, timeout_s: 2, next: plain, on_error: plain}
    plain: {play: sorry, next: bye}
"""


def test_another_number_is_looked_up_by_a_formula() -> None:
    assert walk(flow_of(BY), [Gathered("02079460123", "end_key")])[-1].verb == LookUp(2.0, "02079460123")


@pytest.mark.parametrize("typed", ["", " "])
def test_a_formula_without_a_number_asks_nobody_and_least_of_all_about_the_caller(typed: str) -> None:
    nodes = BY.replace("ask: {gather: ask, save: typed, next: who}", f'a: {{set: {{typed: "{typed}"}}, next: who}}')
    step = walk(flow_of(nodes), [])[-1]
    assert step.entered == ("a", "who", "plain")
    assert step.run.variables == {**NOBODY, "typed": typed}


def test_a_failing_formula_goes_to_on_failure() -> None:
    flow = flow_of('a: {lookup: crm, by: {cel: "string(int(call.caller_name))"}, next: bye, on_error: bye}')
    assert walk(flow, [])[-1].finish == Finish("failed")


def test_other_outcomes() -> None:
    assert walk(flow_of(WHO), [HungUp()])[-1].finish == Finish("hung_up")
    assert walk(flow_of(WHO), [Done()])[-1].finish == Finish("failed")


# crashes


def restored(flow: Flow, step: Step) -> FlowRun:
    return FlowRun.restore(flow, CALL, json.loads(json.dumps(step.run.snapshot())))


def test_what_was_found_survives_the_worker() -> None:
    flow = flow_of(WHO)
    step = after(LookedUp("found", FIELDS, 1))
    run = restored(flow, step)
    assert run == step.run
    assert run.variables == KEPT
    at = parse_checkpoint(step.run.checkpoint())
    assert FlowRun.restore(flow, CALL, step.run.snapshot(), at=at).variables == KEPT
    assert "Ada" not in step.run.checkpoint()


def test_a_look_up_under_way_is_asked_again_by_the_next_worker() -> None:
    flow = flow_of(WHO)
    asking = walk(flow, [])[-1]
    again = FlowRun.from_checkpoint(flow, CALL, parse_checkpoint(asking.run.checkpoint())).resume(NOON)
    assert again.verb == LookUp(0.8)


def test_fields_that_a_newer_crm_yaml_has_not_are_left_out_after_a_restore() -> None:
    kinds = {"name": "string", "tier": "string", "visits": "double"}
    newer = flow_of(WHO.replace("visits > 2", "visits > 2.0"), around=replace(AROUND, customer_fields=kinds))
    run = FlowRun.restore(newer, CALL, after(LookedUp("found", FIELDS, 1)).run.snapshot())
    assert run.variables == {
        "customer.found": True, "customer.matches": 1, "customer.name": "Ada", "customer.tier": "gold"
    }  # fmt: skip


# loading


def test_the_variables_of_a_flow_with_a_look_up() -> None:
    assert flow_of(WHO).variables == {
        "customer.found": "bool", "customer.matches": "int", "customer.name": "string", "customer.tier": "string",
        "customer.visits": "int", "customer.balance": "double", "customer.vip": "bool",
    }  # fmt: skip
    assert flow_of("a: {play: hello, next: bye}").variables == {}


def test_the_deadline_is_that_of_the_crm_unless_given() -> None:
    around = replace(AROUND, lookup_timeout_s=1.5)
    flow = flow_of(WHO.replace("on_error", "timeout_s: 3, on_error"), around=around)
    assert walk(flow, [])[-1].verb == LookUp(3.0)
    assert walk(flow_of(WHO, around=around), [])[-1].verb == LookUp(1.5)


def found_in(nodes: str, head: str = "", **around: object) -> list[tuple[str, str, str]]:
    found = faults_of(text_of(nodes, head), replace(AROUND, **around))  # type: ignore[arg-type]
    return [(one.code, one.message, one.hint) for one in found]


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "hint"),
    [
        ("customer.tier", "customer.teir", "unknown-variable", "`customer.teir`", "did you mean `customer.tier`?"),
        ("customer.tier == 'gold'", "customer.tier == 1", "expression-type", "`==` does not work", ""),
        ("customer.found", "customer", "unknown-variable", "`customer`", ""),
        ("lookup: crm", "lookup: crn", "unknown-choice", "`crn` is not one of `crm`", ""),
        ("next: tier,", "save: caller, next: tier,", "unknown-choice", "`caller` is not one of `customer`", ""),
        ("next: tier,", "by: dnis, next: tier,", "unknown-choice", "`dnis` is not one of `ani`", ""),
        ("next: tier,", "by: {cel: '1 + 1'}, next: tier,", "expression-type", "a whole number, not text", ""),
        ("next: tier,", "timeout_s: 60, next: tier,", "out-of-range", "60 is too big; at most 10", ""),
        ("next: tier,", "timeout_s: 0, next: tier,", "out-of-range", "0 is too small; it must be more than 0", ""),
        ("next: tier,", "next: teir,", "unknown-node", "no node `teir`", "did you mean `tier`?"),
        (", on_error: plain", "", "no-on-error", "nothing is said for a CRM that does not answer", "on_failure"),
    ],
)
def test_a_fault_in_a_look_up(old: str, new: str, code: str, message: str, hint: str) -> None:
    assert found_in(WHO) == []
    assert old in WHO
    ((found, said, told),) = found_in(WHO.replace(old, new))
    assert found == code
    assert message in said
    assert hint in told


def test_without_a_crm_the_node_says_so_and_conditions_are_not_blamed() -> None:
    ((code, message, hint),) = found_in(WHO, customer_fields={})
    assert (code, message) == ("no-crm", "there is no CRM to ask")
    assert "crm.yaml" in hint


@pytest.mark.parametrize("around", [{"customer_fields": None}, {"customer_fields": {}, "is_known": False}])
def test_while_the_crm_file_has_faults_what_it_holds_is_not_checked(around: dict[str, object]) -> None:
    assert found_in(WHO, **around) == []


def test_without_a_look_up_there_is_no_customer() -> None:
    ((code, message, _),) = found_in("a: {branch: [{if: customer.found, then: bye}], else: bye}")
    assert (code, "`customer.found`" in message) == ("unknown-variable", True)


def test_the_name_customer_is_the_look_ups() -> None:
    ((code, message, _),) = found_in("a: {set: {customer: 1}, next: bye}")
    assert (code, message) == ("bad-name", "`customer` has a meaning of its own in expressions")


def test_a_secret_is_no_number_to_look_up() -> None:
    ask = "a: {gather: ask, save: pin, secret: true, next: b}"
    nodes = f"{ask}\nb: {{lookup: crm, by: {{cel: pin}}, next: bye, on_error: bye}}"
    with pytest.raises(ConfigurationError, match="secret"):
        flow_of(nodes)
