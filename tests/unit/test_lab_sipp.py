"""SIPp's scenario files and statistics."""

from xml.etree import ElementTree

import pytest

from cordboard.errors import LabError
from cordboard.lab.sipp import read_statistics, seconds
from cordboard.lab.sipp_scenarios import caller_scenario


def steps(scenario):
    return [(step.tag, step.get("response") or step.get("request")) for step in ElementTree.fromstring(scenario)]


def test_a_caller_who_stays_waits_for_the_bye_and_answers_it():
    assert steps(caller_scenario("5551234"))[-2:] == [("recv", "BYE"), ("send", None)]


def test_a_caller_who_leaves_pauses_and_says_bye():
    scenario = caller_scenario("5551234", hangs_up_after_s=1.5)
    assert steps(scenario)[-3:] == [("pause", None), ("send", None), ("recv", "200")]
    assert 'milliseconds="1500"' in scenario
    assert "BYE sip:[service]@" in scenario


def test_the_ani_is_the_from_user_of_each_request():
    scenario = caller_scenario("+442079460123", hangs_up_after_s=1)
    assert scenario.count("From: <sip:+442079460123@") == 3


def test_the_invite_carries_no_tag_of_the_other_side_and_later_requests_do():
    invite, ack, bye = caller_scenario("1", hangs_up_after_s=1).split("<send")[1:4]
    assert "[peer_tag_param]" not in invite
    assert "[peer_tag_param]" in ack
    assert "[peer_tag_param]" in bye


def test_the_last_line_of_the_statistics_counts():
    assert read_statistics("A;B;\n1;2;\n3;4;\n")["B"] == "4"


def test_no_statistics_is_an_error():
    with pytest.raises(LabError, match="no statistics"):
        read_statistics("A;B;\n")


def test_a_time_is_read_with_its_fraction():
    assert seconds("01:02:03:250000") == pytest.approx(3723.25)
