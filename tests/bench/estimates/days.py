"""The days on which waits are estimated: each with another reason for waits that a formula may not see. Pure."""

from __future__ import annotations

from cordboard.config.yaml_reader import parse_yaml
from cordboard.lab.sim.scenario import SimDay, parse_day

QUEUE = "sales"  # whose waits are estimated

_STEADY = """
scenario: steady
lasts_s: 36000
queues: {sales: {accept: none, max_wait_s: 3600}}
callers: [{queue: sales, calls_h: {"08:00": 178}, patience_s: {mean: 1200}}]
agents: {sales: {times: 12, queues: [sales], talks_s: {median: 180, p90: 480}}}
"""
_RUSH = """
scenario: rush hours
lasts_s: 36000
queues: {sales: {accept: none, max_wait_s: 3600}}
callers:
  - queue: sales
    calls_h: {"08:00": 120, "09:00": 300, "10:00": 90, "13:00": 290, "14:00": 100}
    patience_s: {mean: 600}
agents:
  sales:
    times: 14
    queues: [sales]
    talks_s: {median: 180, p90: 480}
    pauses: [{at: "12:00", for_s: 1800, spread_s: 3600}]
"""
_SHARED = """
scenario: agents of two queues
lasts_s: 36000
queues: {sales: {accept: none, max_wait_s: 3600}, support: {accept: none, max_wait_s: 3600}}
callers:
  - {queue: sales, calls_h: {"08:00": 60, "11:00": 110, "13:00": 60}, patience_s: {mean: 900}}
  - {queue: support, calls_h: {"08:00": 85}, patience_s: {mean: 900}}
agents:
  sales: {times: 3, queues: [sales], talks_s: {median: 150, p90: 400}}
  both: {times: 10, queues: [sales, support], talks_s: {median: 240, p90: 700}}
"""
_SKILLS = """
scenario: a skill that few have
lasts_s: 36000
queues: {sales: {accept: none, max_wait_s: 3600}}
callers:
  - {queue: sales, calls_h: {"08:00": 110}, patience_s: {mean: 900}}
  - {queue: sales, calls_h: {"08:00": 36}, patience_s: {mean: 1200}, require: {spanish: 3}}
agents:
  sales: {times: 8, queues: [sales], talks_s: {median: 200, p90: 500}}
  spanish: {times: 3, queues: [sales], skills: {spanish: 4}, talks_s: {median: 200, p90: 500}}
"""
_PRIORITY = """
scenario: callers of priority
lasts_s: 36000
queues: {sales: {accept: none, max_wait_s: 3600}}
callers:
  - {queue: sales, calls_h: {"08:00": 120}, patience_s: {mean: 900}}
  - {queue: sales, calls_h: {"08:00": 60}, patience_s: {mean: 900}, priority: 10}
agents: {sales: {times: 12, queues: [sales], talks_s: {median: 180, p90: 480}}}
"""


def days() -> dict[str, SimDay]:
    """All of them, by what is special about them."""
    written = (_STEADY, _RUSH, _SHARED, _SKILLS, _PRIORITY)
    read = [parse_day(parse_yaml(text.encode(), "day.yaml")) for text in written]
    return {day.title: day for day in read}
