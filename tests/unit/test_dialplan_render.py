"""The generated dialplan: whole, filled in, and with caller data nowhere but where it is filtered or encoded."""

from __future__ import annotations

import re

import pytest

from agi_scripts import variables
from agi_scripts.dialplan.render import VERSION, render_dialplan, render_manager_user, render_systemd_unit
from agi_scripts.hold_keys import CONTEXT, HOME

WORKERS = ["127.0.0.1:4573", "127.0.0.1:4574", "127.0.0.1:4575"]
SAFE = "operators,s,1"


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith(";")]


def test_no_blank_is_left_unfilled() -> None:
    texts = (
        render_dialplan(WORKERS, SAFE),
        render_manager_user("cordboard", "s3cret"),
        render_systemd_unit("/opt/cordboard/bin/cordboard", "/etc/cordboard"),
    )
    assert [text for text in texts if re.search(r"@[A-Z_]+@", text)] == []


def test_every_worker_can_be_the_first_and_is_in_the_rotation() -> None:
    text = render_dialplan(WORKERS, SAFE)
    assert f"CORDBOARD_WORKERS={'&'.join(WORKERS)}," in text
    assert "CORDBOARD_TURN=${RAND(0,2)}" in text
    assert "${CUT(CORDBOARD_WORKERS,&,$[${CORDBOARD_TURN} % 3 + 1])}" in text


def test_every_jump_leads_somewhere() -> None:
    text = render_dialplan(WORKERS, SAFE)
    extensions = set(re.findall(r"^exten => ([^,]+),", text, re.MULTILINE))
    targets = set(re.findall(r"[?:(](?:cordboard-call,)?([a-z-]+),1[):]", text)) - {"cordboard-call,s"}
    assert targets >= {"loop", "let-go", "resume", "returned", "safe", "done"}
    assert "?${CORDBOARD_DONE},1)" in text and {variables.TO_SAFE_DESTINATION, variables.AWAY} <= extensions
    assert targets <= extensions
    assert {"next-dial", "next-agent", "next-voicemail"} <= extensions


def test_every_variable_the_phone_writes_is_known_to_the_dialplan() -> None:
    text = render_dialplan(WORKERS, SAFE)
    names = [value for value in vars(variables).values() if str(value).startswith("CORDBOARD_")]
    assert len(names) == 34
    assert [name for name in names if not re.search(rf"\b{name}[}}=,)]", text)] == []


RAW = re.compile(r"\$\{(EXTEN|CALLERID\([a-z]+\))")
FILTERED = r"FILTER\([^,]+,(\$\{CALLERID\([a-z]+\)\}|\$\{EXTEN\})+\)"
ALLOWED = re.compile(FILTERED + r"|URIENCODE\(\$\{CALLERID\(name\):0:80\}\)")


def test_caller_data_stands_only_inside_a_filter_an_encoder_or_a_length() -> None:
    for line in lines(render_dialplan(WORKERS, SAFE)):
        rest = re.sub(r"LEN\((\$\{CALLERID\([a-z]+\)\})+\)", "", ALLOWED.sub("", line))
        if line.startswith("exten => _[+*#0-9],1,"):
            continue  # one character, and the pattern says which
        assert RAW.search(rest) is None, line


def test_dial_takes_one_variable_and_no_extension() -> None:
    dials = [line for line in lines(render_dialplan(WORKERS, SAFE)) if "Dial(" in line]
    assert dials == [
        " same => n(ring),Dial(${CORDBOARD_RUNG},${CORDBOARD_RING_S},gib(cordboard-leg^prepare^1)U(cordboard-leg))",
        " same => n,Dial(${CORDBOARD_DEVICE},${CORDBOARD_RING_S},"
        "gim(${CORDBOARD_MUSIC})b(cordboard-agent^prepare^1)U(cordboard-agent))",
        " same => n(ring),Dial(${CORDBOARD_RUNG},$[${CORDBOARD_RING_S} + 120],"
        "gim(${CORDBOARD_MUSIC})U(cordboard-won))",
        " same => n,Dial(${CORDBOARD_DEVICE},${CORDBOARD_RING_S},ib(cordboard-leg^prepare^1))",
        " same => n,Dial(${CORDBOARD_RUNG},${CORDBOARD_RING_S},ib(cordboard-leg^prepare^1)U(cordboard-leg))",
        " same => n,Dial(${CORDBOARD_PHONE_${FILTER(0-9,${EXTEN})}},${CORDBOARD_RING_S},"
        "ib(cordboard-agent^prepare^1)U(cordboard-agent))",
        " same => n,Dial(${CORDBOARD_CUSTOMER},${CORDBOARD_RING_S},giU(cordboard-customer))",
    ]
    assert all(",g" in line or ",i" in line for line in dials), "who forwards is not followed"


@pytest.mark.parametrize("worker", ["127.0.0.1", "a b:1", "x:1/y", "x:1&y:2", "", "${X}:1"])
def test_a_worker_address_that_is_none_is_refused(worker: str) -> None:
    with pytest.raises(ValueError, match="worker address"):
        render_dialplan([worker], SAFE)


def test_no_workers_are_refused() -> None:
    with pytest.raises(ValueError, match="no worker"):
        render_dialplan([], SAFE)


@pytest.mark.parametrize("safe", ["operators", "a,b", "a,b,c,d", "a,b,1)\nexten => x,1,System(id)", "a,${X},1"])
def test_a_safe_destination_that_is_none_is_refused(safe: str) -> None:
    with pytest.raises(ValueError, match="safe destination"):
        render_dialplan(WORKERS, safe)


@pytest.mark.parametrize("patience_s", [0, -1, 3601, float("nan")])
def test_a_patience_out_of_reason_is_refused(patience_s: float) -> None:
    with pytest.raises(ValueError, match="patience"):
        render_dialplan(WORKERS, SAFE, patience_s)


def test_a_bad_secret_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="secret") as caught:
        render_manager_user("cordboard", "hunter2\nwrite = all")
    assert "hunter2" not in str(caught.value)


def test_the_manager_user_may_do_nothing_dangerous() -> None:
    text = "\n".join(lines(render_manager_user("cordboard", "s3cret")))
    assert "\nread = call,user,dtmf\n" in text
    assert "\nwrite = call,originate\n" in text
    assert "permit = 127.0.0.1" in text


def test_the_manager_user_hears_only_what_is_listened_to() -> None:
    filters = [line for line in lines(render_manager_user("cordboard", "s3cret")) if "eventfilter" in line]
    names = [re.search(r"name\((\w+)\)", line) for line in filters]
    assert {found[1] for found in names if found} == {
        "UserEvent",
        "HangupRequest",
        "SoftHangupRequest",
        "DeviceStateChange",
        "OriginateResponse",
        "DTMFEnd",
    }


def test_the_manager_user_hears_keys_of_waiting_callers_only() -> None:
    filters = [line for line in lines(render_manager_user("cordboard", "s3cret")) if "DTMF" in line]
    assert filters == [f"eventfilter(action(include),name(DTMFEnd),header(Context),method(exact)) = {CONTEXT}"]
    text = render_dialplan(WORKERS, SAFE)
    assert f"[{CONTEXT}]\ninclude => {HOME}\n" in text
    for leaves in ("/call,", "AGISTATUS=LATE"):  # whatever ends the worker's part ends the hearing of keys as well
        following = text.split(leaves)[1].splitlines()[1]
        assert following == f" same => n,Goto({HOME},let-go,1)"


def test_every_event_of_an_agents_leg_ends_with_the_token() -> None:
    events = [line for line in lines(render_dialplan(WORKERS, SAFE, token="t0ken")) if "UserEvent(" in line]
    of_legs = [line for line in events if "CordboardAgent" in line]
    kinds = [found[1] for line in of_legs if (found := re.search(r"Kind: (\w+)", line))]
    assert kinds == ["refused", "joined", "ringing", "answered", "joined", "gone", "joined"]
    assert len(events) == len(of_legs) + 3, "of calls that were cut off, and of customers called back, or in vain"
    assert [line for line in events if not line.rstrip(")").endswith(",Token: t0ken")] == []


@pytest.mark.parametrize("context", ["[cordboard-agent]", "[cordboard-leg]"])
def test_who_does_nothing_has_refused(context: str) -> None:
    text = render_dialplan(WORKERS, SAFE)
    picked_up = text[text.index(context) :].partition("exten => s,1,")[2].partition("\n[")[0]
    assert picked_up.startswith("Set(GOSUB_RESULT=CONTINUE)")
    assert picked_up.count("Set(GOSUB_RESULT=)") == 1


def test_a_transferred_call_is_none_of_ours_any_more() -> None:
    away = render_dialplan(WORKERS, SAFE).partition("exten => away,1,")[2].partition("exten =>")[0]
    assert away.startswith("MSet(CORDBOARD_CALL=,CORDBOARD_CP=,"), "so that its end is told to nobody"
    assert "Goto(${CORDBOARD_TO_CONTEXT},${CORDBOARD_TO_EXTEN},${CORDBOARD_TO_PRIORITY})" in away


def test_a_call_that_comes_in_once_more_is_still_known_to_be_recorded() -> None:
    """MixMonitor stays on the channel: a secret question of the second visit has to pause it."""
    entry = render_dialplan(WORKERS, SAFE).partition("exten => s,1,")[2].partition("exten =>")[0]
    assert "CORDBOARD_CP=," in entry and variables.RECORDING not in entry


def test_only_a_leg_of_our_own_has_a_call_id_when_it_enters_and_it_has_it_once() -> None:
    entry = render_dialplan(WORKERS, SAFE).partition("exten => s,1,")[2].partition("exten =>")[0]
    assert entry.startswith(f"MSet({variables.CALL}=${{{variables.ORIGINATED}}},{variables.ORIGINATED}=,")


def test_the_dialplan_says_its_version() -> None:
    text = render_dialplan(WORKERS, SAFE)
    assert f"; Version {VERSION}:" in text and f"\nexten => version-{VERSION},1,NoOp()\n" in text


def test_what_an_earlier_offer_left_is_cleared_before_an_agent_is_rung() -> None:
    text = render_dialplan(WORKERS, SAFE)
    before_dial = text.partition("exten => next-agent")[2].partition("Dial(")[0]
    for name in ("KEY)=unset", "JOINED)=", "CAUSE)="):
        assert f"SHARED(CORDBOARD_{name}" in before_dial
