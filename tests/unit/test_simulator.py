"""The simulator shows a call as it goes, obeys what is typed, and writes calls as tests that pass."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from cordboard.flows.flow import Flow
from cordboard.simulation.flow_tests import load_tests
from cordboard.simulation.given import Given
from cordboard.simulation.session import Session
from cordboard.simulation.suite import play
from cordboard.simulation.terminal import Terminal
from tests.doubles.simulation_kit import flow_of, premises_with

NODES = """
greeting: {play: hello, next: main}
main:
  menu: ask
  keys: {1: sales, 2: spanish, 3: order, 4: pin, 5: message}
  no_input: {after_s: 5, tries: 2, say: again, then: bye}
  no_match: {tries: 2, say: sorry, then: bye}
spanish: {language: es, next: main}
sales: {queue: sales, next: thanks, otherwise: thanks}
message: {voicemail: sales, greeting: sorry, next: thanks}
order: {http: orders, get: /orders/12, answer: {state: {path: state, type: text, default: ""}}, save: order,
        next: price, on_error: thanks}
price: {script: price, with: {order: "12"}, save: quote, next: thanks, on_error: thanks}
pin: {gather: ask, save: pin, secret: true, min_digits: 4, max_digits: 4, next: account}
account: {gather: ask, save: account, max_digits: 6, next: read_back}
read_back: {say: {digits: {cel: account}}, next: thanks}
thanks: {play: hello, next: bye}
"""


@pytest.fixture
def flow() -> Flow:
    return flow_of(NODES)


def shown(flow: Flow, *lines: str, tests: Path | None = None, language: str | None = None, **given: object) -> str:
    """The screen after these lines, in which the pipe ends."""
    screen = io.StringIO()
    console = Console(file=screen, width=100, highlight=False)
    typed = iter(lines)

    def read(prompt: str) -> str | None:
        console.print(prompt, end="", markup=False)
        line = next(typed, None)
        console.print(line if line is not None else "", markup=False)
        return line

    session = Session(premises_with(flow), flow, Given.model_validate(given), language)
    Terminal(session, console, read, tests or Path("unused.yaml")).run()
    return "\n".join(line.rstrip() for line in screen.getvalue().splitlines())


def in_order(screen: str, *texts: str) -> bool:
    """Whether the screen shows these, one after the other."""
    rest = screen
    for text in texts:
        _, found, rest = rest.partition(text)
        if not found:
            return False
    return True


def test_a_call_is_shown_as_it_goes(flow: Flow) -> None:
    screen = shown(flow, "2", "1")
    assert in_order(
        screen,
        "+442079460123 calls 5000",
        "greeting  play",
        "en  hello en",
        "→ main",
        "keys> 2",
        "→ spanish  key 2",
        "es  ask es",
        "keys> 1",
        "waits in the queue sales for 20 s",
        "talks to alice for 60 s",
        "es  hello es",
        "the flow hung up, after 1:2",
    )


def test_without_more_lines_the_caller_stays_silent(flow: Flow) -> None:
    assert in_order(
        shown(flow), "5 s of silence", "again en", "5 s of silence", "→ bye  silence", "the flow hung up"
    )


def test_several_entries_may_stand_on_one_line(flow: Flow) -> None:
    assert in_order(shown(flow, "2 2 1"), "key 2", "key 2", "key 1", "talks to alice")


def test_a_caller_hangs_up_now_or_in_the_middle_of_a_prompt(flow: Flow) -> None:
    assert in_order(shown(flow, "1", "h"), "waits in the queue sales for 1 s", "the caller hung up")
    assert in_order(shown(flow, "h hello"), "hello en… (cut)", "the caller hung up, after 0:00")
    assert "`sorry` has not been said" in shown(flow, "h sorry", "q")


def test_steps_can_be_taken_back(flow: Flow) -> None:
    screen = shown(flow, "2", "b", "p", "b", "q")
    assert in_order(screen, "key 2", "back", "greeting → main\n", "this is the beginning")
    assert in_order(shown(flow, "h hello", "b", "b", "p", "q"), "hung up", "back", "beginning", "greeting → main\n")


def test_secret_digits_are_never_shown(flow: Flow) -> None:
    screen = shown(flow, "4", "9731", "v", "471100", "")
    assert "9731" not in screen.replace("keys> 9731", "")
    assert in_order(screen, "⌨  ••••", "pin", "••••", "4 7 1 1 0 0")


def test_what_makes_no_sense_is_said_so(flow: Flow) -> None:
    screen = shown(flow, "hello", "?", "s too early", "q")
    assert in_order(
        screen, "`hello` is neither a key nor a command", "Enter       silence", "finish the call first"
    )


def test_services_and_scripts_are_asked_for(flow: Flow) -> None:
    screen = shown(flow, "3", "what", "state=sent", "price=9.5")
    assert in_order(
        screen,
        "GET orders /orders/12 answers (state=…",
        "write an answer as JSON",
        "GET orders /orders/12: 200 state=sent",
        "script price returns",
        "script price(order=12): price=9.5",
        "the flow hung up",
    )
    assert in_order(shown(flow, "3", "503"), "status 503", "→ thanks  on error")


@pytest.mark.parametrize(
    "lines",
    [
        ("1",),
        ("", ""),
        ("2", "1", "", "h"),
        ("1", "h"),
        ("h hello",),
        ("2", "h ask"),
        ("2", "h"),
        ("9", "9"),
        ("5", "4", "#"),
        ("5", "4", ""),
        ("5", "4", "h"),
        ("5", "0"),
        ("3", "state=sent", "price=9.5"),
        ("3", '{"state": "lost, found"}', "timeout"),
        ("3", "404"),
        ("4", "9731", "471100"),
        ("4", "9731", "47#"),
        ("2 2 1",),
        ("2", "b", "1", ""),
    ],
)
def test_a_call_that_was_played_becomes_a_test_that_passes(
    flow: Flow, tmp_path: Path, lines: tuple[str, ...]
) -> None:
    file = tmp_path / "tests" / "test.yaml"
    silences = 0
    while "written to" not in shown(flow, *lines, *[""] * silences, "s as it was played", "q", tests=file):
        silences += 1  # the call is not over yet
        assert silences < 6
    (test,) = load_tests(file, premises_with(flow))
    assert play(test, premises_with(flow)).failures == ()


def test_tests_are_added_to_a_file(flow: Flow, tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    shown(flow, "h", "s first", "q", tests=file)
    shown(
        flow, "1", "h", "s second: the 'queue'", "q", tests=file, crm={"tier": "gold", "balance": 1.5}, name="Ada"
    )
    first, second = load_tests(file, premises_with(flow))
    assert (first.name, second.name) == ("first", "second: the 'queue'")
    assert second.given.crm == {"tier": "gold", "balance": 1.5}
    assert all(play(one, premises_with(flow)).passed for one in (first, second))


def test_the_language_of_a_call_is_that_of_its_test(flow: Flow, tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    shown(flow, "1", "", "", "s in Spanish", "q", tests=file, language="es")
    (test,) = load_tests(file, premises_with(flow))
    assert test.language == "es"
    assert play(test, premises_with(flow)).passed
