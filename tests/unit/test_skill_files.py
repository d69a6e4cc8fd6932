"""Skills and routing in `agents.yaml` and `queues.yaml`: what they mean, and how what cannot be had is told."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cordboard.acd.floor_plan import load_floor_plan
from cordboard.acd.model import Agent, FloorPlan, Membership, Needs, Queue, RelaxStep
from cordboard.acd.skill_checks import queue_skills
from cordboard.errors import ConfigurationError

AGENTS = """\
agents:
  alice: {device: PJSIP/1001, queues: [sales, support], skills: {spanish: 4}}
  bob: {device: PJSIP/1002, queues: {sales: {penalty: 2, weight: 3, tier: 5}, support: }, skills: {billing: 2}}
"""
QUEUES = """\
queues:
  support:
  sales:
    strategy: best_skill
    weight: 5
    ageing_s: 60
    at_most: 12
    not_again_s: 45
    require: {spanish: 3}
    prefer: {billing: 2}
    relax: [{after_s: 30, lower: {spanish: 1}}, {after_s: 90, drop: [spanish], require: {billing: 1}}]
"""


def load(directory: Path, queues: str = QUEUES, agents: str = AGENTS) -> FloorPlan:
    for name, text in (("queues.yaml", queues), ("agents.yaml", agents)):
        (directory / name).write_text(text)
    return load_floor_plan(directory)


def faults(directory: Path, queues: str, agents: str = AGENTS) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        load(directory, queues, agents)
    return [str(one).splitlines()[0] for one in refused.value.findings]


def test_what_an_agent_can_do_and_is_in_each_queue(tmp_path: Path) -> None:
    agents = load(tmp_path).agents
    assert agents["alice"] == Agent(
        "alice",
        "alice",
        "PJSIP/1001",
        ("sales", "support"),
        skills={"spanish": 4},
        memberships={"sales": Membership(place=0), "support": Membership(place=0)},
    )
    assert agents["bob"].queues == ("sales", "support")
    assert agents["bob"].membership("sales") == Membership(2, 3, 5, 1)
    assert agents["bob"].membership("support") == Membership(place=1)


def test_what_a_queue_asks_for(tmp_path: Path) -> None:
    plan = load(tmp_path)
    sales = plan.queues["sales"]
    assert (sales.strategy, sales.weight, sales.ageing_s, sales.at_most) == ("best_skill", 5, 60.0, 12)
    assert sales.not_again_s == 45.0
    assert sales.needs == Needs(
        (("spanish", 3),),
        (("billing", 2),),
        (
            RelaxStep(30.0, lower=(("spanish", 1),)),
            RelaxStep(90.0, drop=("spanish",), require=(("billing", 1),)),
        ),
    )
    defaults = Queue("support")
    support = plan.queues["support"]
    assert (support.weight, support.ageing_s, support.at_most, support.not_again_s, support.needs) == (
        defaults.weight, defaults.ageing_s, defaults.at_most, 0.0, Needs(),
    )  # fmt: skip
    skills = queue_skills(plan)["sales"]
    assert skills.needs == sales.needs
    assert skills.agents == {"alice": {"spanish": 4}, "bob": {"billing": 2}}
    assert skills.everybody == {"spanish", "billing"}


def test_where_callers_may_be_sent_on_and_how_long_they_wait(tmp_path: Path) -> None:
    agents = "agents:\n  a: {device: PJSIP/1, queues: [sales, night, late]}\n"
    queues = (
        "queues:\n"
        "  sales: {overflow: [{wait_s: 9, to: night}], max_wait_s: 90}\n"
        "  night: {overflow: [{wait_s: 9, to: late}, {wait_s: 60}], callback: {attempts: 2}}\n"
        "  late:\n"
    )
    skills = queue_skills(load(tmp_path, queues, agents))
    assert {name: one.goes_on for name, one in skills.items()} == {
        "sales": ("night", "late"), "night": ("late",), "late": (),
    }  # fmt: skip
    assert [skills[name].longest_s for name in ("sales", "night", "late")] == [90.0, math.inf, 600.0]


SALES = "queues:\n  support:\n  sales:\n    "


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("require: {spansh: 3}", "queues.yaml:4:15: no agent has the skill `spansh` [unknown-skill]"),
        ("prefer: {latin: 1}", "queues.yaml:4:14: no agent has the skill `latin` [unknown-skill]"),
        (
            "require: {spanish: 5}",
            "queues.yaml:4:24: no agent of `sales` has spanish 5; the best of them has 4 [skill-too-high]",
        ),
        (
            "require: {spanish: 1, billing: 1}",
            "queues.yaml:4:14: no agent of `sales` has all of this [needs-never-met]",
        ),
        (
            "{require: {spanish: 1}, relax: [{after_s: 9, require: {billing: 1}}]}",
            "queues.yaml:4:37: no agent of `sales` has all that is asked for after this step [relax-never-met]",
        ),
        ("relax: [{after_s: 9, drop: [spanish]}]", "queues.yaml:4:13: this step changes nothing [relax-no-change]"),
        (
            "{require: {spanish: 2}, relax: [{after_s: 9, drop: [spanihs], lower: {spanish: 1}}]}",
            "queues.yaml:4:57: no agent has the skill `spanihs` [unknown-skill]",
        ),
        (
            "{require: {spanish: 2}, relax: [{after_s: 9, lower: {spanihs: 1}}]}",
            "queues.yaml:4:58: no agent has the skill `spanihs` [unknown-skill]",
        ),
        (
            "{require: {spanish: 2}, relax: [{after_s: 9, swap: {spanihs: spanish}}]}",
            "queues.yaml:4:57: no agent has the skill `spanihs` [unknown-skill]",
        ),
        ("relax: [{after_s: 9}]", "queues.yaml:4:13: this step changes nothing [relax-no-change]"),
        (
            "{require: {spanish: 1}, relax: [{after_s: 9, drop: [spanish]}, {after_s: 9, lower: {spanish: 1}}]}",
            "queues.yaml:4:36: the step after 9 s stands behind the one after 9 s [relax-order]",
        ),
        ("require: {Spanish: 3}", "queues.yaml:4:15: `Spanish` is no name [bad-name]"),
        ("require: spanish", "queues.yaml:4:14: expected a mapping (`key: value`), found `spanish` [wrong-type]"),
    ],
)
def test_what_cannot_be_had_is_refused_at_its_place(tmp_path: Path, options: str, said: str) -> None:
    assert faults(tmp_path, f"{SALES}{options}\n") == [said]


def test_an_unknown_strategy_is_refused_with_the_next_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path, f"{SALES}strategy: longest_idel\n")
    (finding,) = refused.value.findings
    assert (finding.line, finding.column, finding.hint) == (4, 15, "did you mean `longest_idle`?")


def test_an_unknown_queue_is_found_in_either_way_to_write_them(tmp_path: Path) -> None:
    agents = (
        "agents:\n  a: {device: PJSIP/1, queues: [suport]}\n  b: {device: PJSIP/2, queues: {sales: , suport: }}\n"
    )
    said = faults(tmp_path, "queues:\n  sales:\n", agents)
    assert said == [
        "agents.yaml:2:33: there is no queue `suport` [unknown-queue]",
        "agents.yaml:3:42: there is no queue `suport` [unknown-queue]",
    ]


@pytest.mark.parametrize("level", ["0", "11", "high"])
def test_a_level_is_from_1_to_10(tmp_path: Path, level: str) -> None:
    agents = f"agents:\n  a: {{device: PJSIP/1, queues: [sales], skills: {{spanish: {level}}}}}\n"
    (said,) = faults(tmp_path, "queues:\n  sales:\n", agents)
    assert said.startswith("agents.yaml:2:59: ")
