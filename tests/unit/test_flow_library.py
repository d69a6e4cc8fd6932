"""The flows we ship load without a finding and do what their prompts promise; so do the examples of the manual."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.flow import Flow
from cordboard.flows.loader import load_flow, load_flows
from cordboard.flows.run import Finish, FlowRun, Step
from cordboard.flows.surroundings import MessageBox, Surroundings
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.outcomes import Connected, Done, Gathered, HungUp, NoInput, NotConnected, Outcome
from cordboard.telephony.verbs import Dial, Gather, Hangup, Record
from tests.doubles.flow_kit import CALL, NOON

ROOT = Path(__file__).parents[2]
AROUND = Surroundings(
    dial_policy=DialPolicy.of({"0": "PJSIP/1000", "10XX": "PJSIP/{extension}"}),
    voicemail_boxes={"sales": MessageBox("sales")},
    flow_names=frozenset({"billing"}),
    queues=frozenset({"sales"}),
    customer_fields={"name": "string", "tier": "string"},
)
FLOWS = load_flows(ROOT / "ivr_flows" / "flows", AROUND)


def path_of(flow: Flow, outcomes: list[Outcome], now: datetime = NOON) -> tuple[list[str], Step]:
    """The nodes entered and the last step. `outcomes` are those of gathers, dials and recordings only."""
    script = iter(outcomes)
    step = FlowRun.begin(flow, CALL).start(now)
    entered = list(step.entered)
    while step.verb is not None:
        if isinstance(step.verb, Hangup):
            outcome: Outcome | None = HungUp(step.verb.cause)
        elif isinstance(step.verb, Gather | Dial | Record):
            outcome = next(script, None)
        else:
            outcome = Done()
        if outcome is None:
            break
        step = step.run.advance(outcome, now)
        entered += step.entered
    return entered, step


def key(digits: str) -> Gathered:
    return Gathered(digits, "full")


def test_support_for_sales() -> None:
    entered, step = path_of(FLOWS["support"], [key("1"), Connected(60)])
    assert entered == ["greeting", "main", "sales", "ring_sales", "goodbye", "bye"]
    assert step.finish == Finish("hung_up")


def test_support_in_spanish_and_back() -> None:
    entered, step = path_of(FLOWS["support"], [key("2")])
    assert entered[-3:] == ["other_language", "spanish", "main"]
    assert isinstance(step.verb, Gather)
    assert "marque 1" in step.verb.prompts[0].text
    assert path_of(FLOWS["support"], [key("2"), key("2")])[1].run.language == "en"


def test_support_takes_a_message_when_sales_do_not_answer() -> None:
    entered, step = path_of(FLOWS["support"], [key("1"), NotConnected("no_answer")])
    assert entered[-1] == "sales_message"
    assert isinstance(step.verb, Record)


@pytest.mark.parametrize(
    ("moment", "node"),
    [
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "ring_support"),
        (datetime(2026, 11, 23, 20, 0, tzinfo=UTC), "support_message"),
        (datetime(2026, 12, 25, 12, 0, tzinfo=UTC), "support_message"),
    ],
)
def test_support_keeps_hours(moment: datetime, node: str) -> None:
    assert path_of(FLOWS["support"], [key("3")], moment)[0][-1] == node


def test_support_gives_a_silent_caller_to_the_operator() -> None:
    entered, step = path_of(FLOWS["support"], [NoInput(), key("7"), NoInput(), NoInput()])
    assert entered == ["greeting", "main", "operator"]
    assert isinstance(step.verb, Dial)


def test_account_reads_the_number_back_and_asks_for_the_pin() -> None:
    course: list[Outcome] = [key("1"), key("12345"), key("123456"), key("2"), key("654321"), key("1"), key("1234")]
    entered, step = path_of(FLOWS["account"], course)
    assert entered == [
        "welcome", "choose_language", "ask_account", "you_entered", "read_back", "confirm", "ask_account",
        "you_entered", "read_back", "confirm", "ask_pin", "which_service", "open_account", "tell_time", "goodbye",
        "bye",
    ]  # fmt: skip
    assert step.run.variables == {"account": "654321"}
    assert step.finish == Finish("hung_up")


def test_account_numbers_with_9_have_an_adviser() -> None:
    _, step = path_of(FLOWS["account"], [key("2"), key("912345"), key("1"), key("1234")])
    assert isinstance(step.verb, Dial)
    assert step.verb.target.extension == "1001"
    assert step.run.language == "es"


@pytest.mark.parametrize("name", FLOWS)
def test_every_node_can_be_reached_and_every_prompt_is_used(name: str) -> None:
    text = (ROOT / "ivr_flows" / "flows" / f"{name}.yaml").read_text()
    body = text.partition("\nnodes:\n")[2]
    for node in FLOWS[name].nodes:
        assert node == FLOWS[name].start or len(re.findall(rf"\b{node}\b", text)) > 1, node
    for prompt in FLOWS[name].prompts:
        assert re.search(rf"\b{prompt}\b", body), prompt


def test_every_prompt_can_be_listed() -> None:
    prompts = list(FLOWS["support"].all_prompts())
    assert len(prompts) == 2 * len(FLOWS["support"].prompts)
    assert {prompt.flow for prompt in prompts} == {"support"}
    assert all(prompt.text for prompt in prompts)


# the manual

MANUAL = (ROOT / "docs" / "writing_flows.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.split(":")[0].strip() for example in EXAMPLES])
def test_an_example_of_the_manual_loads(example: str) -> None:
    if not example.startswith("flow:"):
        example = _with_everything_it_names(example)
    assert load_flow(parse_yaml(example.encode(), "manual.yaml"), AROUND).nodes


def _with_everything_it_names(nodes: str) -> str:
    """A whole flow around some nodes: whatever they name as node, prompt or variable is there."""
    written = set(re.findall(r"^(\w+):", nodes, re.MULTILINE))
    words = set(re.findall(r"[a-z_]+", nodes)) | {"welcome", "main"}
    lines = ["flow: manual", "languages: [en, es]", "prompts:"]
    lines += [f"  {word}: {{en: x, es: x}}" for word in sorted(words)]
    lines += ["nodes:", *(f"  {line}" for line in nodes.splitlines())]
    lines += [f"  {word}: {{hangup: normal}}" for word in sorted(words - written)]
    lines += ["  values: {set: {rounds: 0, waiting: 1, account: x, digits: x}, next: main}"]
    return "\n".join(lines)
