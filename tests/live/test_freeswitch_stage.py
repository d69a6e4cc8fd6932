"""The whole service on a real FreeSWITCH: a scenario of the flow library, judged by what the caller heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.config.yaml_reader import read_yaml
from cordboard.lab.freeswitch_stage import FreeswitchStage
from cordboard.lab.player import play
from cordboard.lab.scenario import parse_scenario
from tests.live.freeswitch_kit import why_none

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

FLOWS = Path(__file__).parents[2] / "ivr_flows"


async def test_a_caller_talks_to_sales_and_is_said_goodbye() -> None:
    if reason := why_none():
        pytest.skip(reason)
    document = read_yaml(FLOWS / "scenarios" / "sales_answers.yaml")
    async with FreeswitchStage(FLOWS) as stage:
        result = await play(parse_scenario(document, stage.book), stage.scenario_stage())
    assert result.passed, result
