"""The dialplan for FreeSWITCH as text: well-formed, every value checked, nothing of a caller's expanded."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from esl_apps import variables
from esl_apps.dialplan.render import render_core_settings, render_dialplan, render_event_socket

WORKERS = ["127.0.0.1:8084", "127.0.0.1:8085", "127.0.0.1:8086"]
SAFE = "operators,operator"
CROCKFORD = "ABCDEFGHJKMNPQRSTVWXYZ"  # the letters of our own call ids, on legs that we have made
OF_CALLERS = re.compile(r"\$\{(caller_id|sip_|effective|destination|ani|rdnis|username|network)")


def parsed(*arguments: object) -> ElementTree.Element:
    return ElementTree.fromstring(render_dialplan(*arguments))  # type: ignore[arg-type]


def test_each_worker_is_first_in_its_turn_and_all_are_tried() -> None:
    attempts = [
        action.get("data")
        for action in parsed(WORKERS, SAFE).iter("action")
        if action.get("application") == "socket"
    ]
    first, second, third = WORKERS
    assert attempts == [
        f"{first}|{second}|{third} async full",
        f"{second}|{third}|{first} async full",
        f"{third}|{first}|{second} async full",
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 40])
def test_every_call_has_one_first_worker(count: int) -> None:
    root = parsed([f"127.0.0.1:{9000 + index}" for index in range(count)], SAFE)
    chosen = [one.get("expression", "") for one in root.iter("condition") if one.get("field") == "${uuid}"]
    for digit in "0123456789abcdef" + CROCKFORD:
        assert sum(re.search(pattern, f"x{digit}") is not None for pattern in chosen) == 1


def test_extensions_that_are_gone_to_are_there() -> None:
    root = parsed(WORKERS, SAFE)
    places = {
        (context.get("name"), str(condition.get("expression")))
        for context in root.iter("context")
        for condition in context.iter("condition")
    }
    wanted = re.findall(r'data="(?:\+\d+ )?([a-z-]+) XML (cordboard[a-z-]*)"', render_dialplan(WORKERS, SAFE))
    assert len(wanted) > 10
    for extension, context in wanted:
        known = (context, f"^{extension}$") in places or context == "cordboard"
        assert known, f"{extension} XML {context}"
    extension, _, context = variables.LATE.split()
    assert (context, f"^{extension}$") in places


def test_nothing_that_a_caller_chose_is_expanded_and_no_api_is_called() -> None:
    root = parsed(WORKERS, SAFE)
    texts = [str(value) for one in root.iter() for value in one.attrib.values()]
    assert not [text for text in texts if OF_CALLERS.search(text)]
    assert not [text for text in texts if re.search(r"\$\{[^}]*\(", text)]


@pytest.mark.parametrize(
    ("workers", "safe", "patience_s", "token"),
    [
        ([], SAFE, 3.0, "x"),
        (["127.0.0.1:8084 sync"], SAFE, 3.0, "x"),
        (["127.0.0.1:8084|evil:1"], SAFE, 3.0, "x"),
        (WORKERS, "operators", 3.0, "x"),
        (WORKERS, 'operators,1"/><action', 3.0, "x"),
        (WORKERS, SAFE, 0.0, "x"),
        (WORKERS, SAFE, 3.0, "x y"),
        (WORKERS, SAFE, 3.0, "${x}"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(workers: list[str], safe: str, patience_s: float, token: str) -> None:
    with pytest.raises(ValueError, match=r"not a|no worker|patience"):
        render_dialplan(workers, safe, patience_s, token)


@pytest.mark.parametrize("secret", ["", 'a"b', "a b", "$${x}", "<x/>", "a\n", "x" * 200])
def test_a_secret_that_xml_would_read_otherwise_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^not a secret of the event socket$"):
        render_event_socket(secret)


def test_the_other_files_are_well_formed() -> None:
    ElementTree.fromstring(render_core_settings())
    socket = ElementTree.fromstring(render_event_socket("secret-1", port=8022))
    assert socket.find(".//param[@name='listen-port']").get("value") == "8022"  # type: ignore[union-attr]


def test_of_several_agents_one_is_chosen_before_any_is_joined() -> None:
    actions = [action.get("application") for action in parsed(WORKERS, SAFE).iter("action")]
    assert actions.index("limit") < actions.index("intercept")


@pytest.mark.parametrize(
    ("heard", "is_machine"),
    [
        ("true|0", True),
        ("true|12", True),
        ("false|75", True),
        ("false|130", True),
        ("false|74", False),
        ("|", False),
    ],
)
def test_what_sounds_like_a_machine(heard: str, is_machine: bool) -> None:
    [pattern] = [
        str(one.get("expression"))
        for one in parsed(WORKERS, SAFE).iter("condition")
        if "wait_for_silence" in str(one.get("field"))
    ]
    assert (re.search(pattern, heard) is not None) is is_machine
