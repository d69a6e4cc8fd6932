"""How an offer ended: what Asterisk 22.10 said in each case, and whatever else it might say."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts.agent_results import agent_rung
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.outcomes import AgentRung
from tests.doubles.fuzzing import examples

NOW = "1795373770017"

# As seen on the wire: DIALSTATUS, HANGUPCAUSE, key, joined.
SEEN = [
    ("ANSWER.16.1.1795373769000", "joined"),
    ("ANSWER.16.none.1795373769000", "joined"),  # no accept key
    ("LEFT.16.1.1795373769000", "joined"),  # the caller ended the talk
    ("LEFT.0.unset.", "caller_left"),
    ("LEFT.16.none.", "caller_left"),
    ("LEFT.16.withdrawn.", "caller_left"),
    ("ANSWER.16.none.", "left_whisper"),
    ("ANSWER.16.withdrawn.", "withdrawn"),
    ("ANSWER.16.timeout.", "no_key"),
    ("ANSWER.16.2.", "declined"),
    ("ANSWER.16.#.", "declined"),
    ("ANSWER.16.*.", "declined"),
    ("BUSY.17.unset.", "busy"),
    ("CHANUNAVAIL.21.unset.", "rejected"),
    ("NOANSWER.19.unset.", "unavailable"),
    ("CHANUNAVAIL.3.unset.", "unregistered"),
    ("CHANUNAVAIL.20.unset.", "unregistered"),
    ("CHANUNAVAIL.1.unset.", "unavailable"),
    ("CHANUNAVAIL.38.unset.", "unavailable"),
    ("NOANSWER.0.unset.", "no_answer"),
    ("NOANSWER.16.unset.", "withdrawn"),
    ("CHANUNAVAIL.16.unset.", "withdrawn"),
    ("CHANUNAVAIL.0.unset.", "withdrawn"),
    ("CONGESTION.34.unset.", "failed"),
    ("INVALIDARGS..unset.", "failed"),
    ("..unset.", "failed"),
]
RESULTS = {result for _, result in SEEN}


@pytest.mark.parametrize(("words", "result"), SEEN)
def test_an_offer_ends_as_the_agents_leg_did(words: str, result: str) -> None:
    joined_at = 1795373769.0 if result == "joined" else None
    assert agent_rung(f"o-1.{words}.{NOW}".split(".")) == AgentRung("o-1", result, joined_at, 1795373770.017)


STATUSES = ["ANSWER", "LEFT", "BUSY", "NOANSWER", "CHANUNAVAIL", "CANCEL", "TORTURE", ""]
ANY = st.text(max_size=6)
WORDS = st.tuples(
    st.just("o-1") | ANY,
    st.sampled_from(STATUSES) | ANY,
    st.integers(0, 130).map(str) | ANY,
    st.sampled_from(["unset", "none", "timeout", "withdrawn", "1", "#"]) | ANY,
    st.just("") | st.just(NOW) | ANY,
    st.just(NOW) | ANY,
).map(list)


@pytest.mark.fuzz
@examples(0.02)
@given(WORDS | st.lists(ANY, max_size=9))
def test_whatever_the_words_are_it_is_a_known_result_or_none_of_ours(words: list[str]) -> None:
    with contextlib.suppress(SwitchProtocolError):
        assert agent_rung(words).result in RESULTS
