"""Several switches as one: which of them counts when one is down."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cordboard.bootstrap.edges import AllSwitches, Edge, Edges
from cordboard.telephony.capabilities import SwitchName


class Link:
    """As much of a switch as is asked for here."""

    def __init__(self, *, is_connected: bool) -> None:
        self.is_connected = is_connected


def edges(**links: bool) -> Edges:
    checks = {"asterisk": "ami", "freeswitch": "event_socket"}
    made = [
        Edge(cast(SwitchName, name), "", checks[name], *cast(Any, (None, None, Link(is_connected=is_up), None)))
        for name, is_up in links.items()
    ]
    return Edges(made)


@pytest.mark.parametrize(
    ("links", "ready"),
    [
        ({"asterisk": True}, True),
        ({"asterisk": False}, False),
        ({"asterisk": True, "freeswitch": True}, True),
        ({"asterisk": False, "freeswitch": True}, True),
        ({"asterisk": True, "freeswitch": False}, True),
        ({"asterisk": False, "freeswitch": False}, False),
    ],
)
def test_one_switch_that_is_down_does_not_cost_the_calls_of_the_other(links: dict[str, bool], ready: bool) -> None:
    all_of = edges(**links)
    assert all_of.is_ready({"accepting": True, **all_of.checks(), "store": True}) is ready
    assert not all_of.is_ready({"accepting": True, **all_of.checks(), "store": False})
    assert not all_of.is_ready({"accepting": False, **all_of.checks(), "store": True})
    assert AllSwitches(all_of).is_connected is ready


def test_customers_are_rung_by_the_switch_that_the_device_belongs_to() -> None:
    both = AllSwitches(edges(asterisk=True, freeswitch=False))
    assert not both.of("sofia/gateway/trunk/{number}").is_connected
    assert both.of("PJSIP/{number}@trunk").is_connected
    alone = AllSwitches(edges(freeswitch=False))
    assert alone.of("") is alone.edges.all[0].switch
