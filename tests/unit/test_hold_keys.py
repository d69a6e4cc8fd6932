"""The keys of callers on hold, from the manager link's events."""

from __future__ import annotations

import pytest

from agi_scripts.hold_keys import CONTEXT, HOME, pass_on_key
from cordboard.edge.hold_keys import KeyListeners

EVENT = {"Event": "DTMFEnd", "Uniqueid": "leg-1", "Context": CONTEXT, "Direction": "Received", "Digit": "9"}


@pytest.mark.parametrize(
    ("changes", "heard"),
    [
        ({}, ["9"]),
        ({"Digit": "#"}, ["#"]),
        ({"Uniqueid": "leg-2"}, []),
        ({"Context": HOME}, []),
        ({"Direction": "Sent"}, []),
        ({"Digit": "A"}, []),
        ({"Digit": ""}, []),
        ({"Digit": "99"}, []),
        ({"Digit": ["1", "9"]}, ["9"]),
        ({"Context": [CONTEXT, HOME]}, []),
    ],
    ids=[
        "key",
        "hash",
        "other leg",
        "not waiting",
        "sent",
        "letter",
        "none",
        "two",
        "forged key",
        "forged context",
    ],
)
def test_only_keys_of_a_waiting_leg_are_passed_on(changes: dict[str, str | list[str]], heard: list[str]) -> None:
    keys, told = KeyListeners(), list[str]()
    keys.hear_keys("leg-1", told.append)
    pass_on_key(keys, EVENT | changes)
    assert told == heard


def test_nothing_is_passed_on_of_a_leg_that_nobody_listens_to_any_more() -> None:
    keys, told = KeyListeners(), list[str]()
    keys.hear_keys("leg-1", told.append)
    keys.forget_keys("leg-1")
    keys.forget_keys("leg-1")
    pass_on_key(keys, EVENT)
    assert not told
