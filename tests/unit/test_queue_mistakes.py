"""Mistakes that are easily made in queues.yaml and agents.yaml: each is told once, at its place, with the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.bootstrap.configuration import load_configuration
from cordboard.errors import ConfigurationError

SETTINGS = "country: GB\noutside: {device: 'PJSIP/{number}@trunk', countries: [GB]}\n"
FLOW = "flow: line\nnodes:\n  a: {queue: sales, otherwise: bye}\n  bye: {hangup: normal}\n"
AGENT = "  alice: {device: PJSIP/1003, queues: [sales], skills: {spanish: 4}}\n"


def queue(options: str) -> dict[str, str]:
    return {"queues.yaml": f"queues:\n  sales: {{{options}}}\n"}


def pauses(reasons: str) -> dict[str, str]:
    return {"agents.yaml": f"pause_reasons: {{{reasons}}}\nagents:\n{AGENT}"}


def agents(lines: str) -> dict[str, str]:
    return {"agents.yaml": f"agents:\n{lines}"}


def node(options: str) -> dict[str, str]:
    return {"flows/line.yaml": FLOW.replace("sales", f"sales, {options}")}


RELAXED = "require: {spanish: 2}, relax: [{after_s: 30, %s}]"
MISTAKES = [
    (queue("strategy: leastrecent"), "queues.yaml:2:21", "unknown-choice", "did you mean `compat:leastrecent`?"),
    (
        queue("strategy: 'compat:roundrobin'"),
        "queues.yaml:2:21",
        "unknown-choice",
        "app_queue makes rrmemory of it: write `compat:rrmemory`",
    ),
    (queue("strategy: ringall"), "queues.yaml:2:21", "unknown-choice", "did you mean `ring_all`?"),
    (queue("strategie: random"), "queues.yaml:2:11", "unknown-key", "did you mean `strategy`?"),
    (queue("timeout: 15"), "queues.yaml:2:11", "unknown-key", "here that is `ring_s: 15`"),
    (queue("joinempty: strict"), "queues.yaml:2:11", "unknown-key", "here that is `join_when_empty: strict`"),
    (queue("overflow: [{wait_s: 9, to: sales}]"), "queues.yaml:2:22", "overflow-cycle", "let the last of them end"),
    (queue("overflow: [{to: sales}]"), "queues.yaml:2:22", "overflow-at-once", "say when: `wait_s: 120`"),
    (queue("overflow: {wait_s: 9}"), "queues.yaml:2:21", "wrong-type", "write [a, b], or one `- item` per line"),
    (queue("ring_s: 30s"), "queues.yaml:2:19", "wrong-type", "write 30 alone; the unit is in the key's name"),
    (queue("max_wait_s: 5m"), "queues.yaml:2:23", "wrong-type", "where it is `_s`, write 300"),
    (queue("max_wait_s: 2h"), "queues.yaml:2:23", "wrong-type", "where it is `_s`, write 7200"),
    (queue("wrap_up: 20"), "queues.yaml:2:20", "wrong-type", "write `wrap_up: {s: 20}`"),
    (queue("wrap_up: {mode: mandatory}"), "queues.yaml:2:11", "no-dispositions", "add `dispositions: [done]`"),
    (queue("hours: mon-fri 9-17"), "queues.yaml:2:18", "wrong-type", "write `hours: {zone: Europe/London, week:"),
    (
        queue("callback: {hours: 9-17}"),
        "queues.yaml:2:29",
        "wrong-type",
        "write `hours: {zone: Europe/London, week:",
    ),
    (queue("callback: {dial: agent_first, flow: line}"), "queues.yaml:2:41", "no-effect", "take `flow` out"),
    (queue("compat: {autofill: false}"), "queues.yaml:2:11", "no-effect", "choose a strategy whose name begins"),
    (queue("music: my jazz"), "queues.yaml:2:18", "bad-music", "write the name of one of musiconhold.conf"),
    (queue("join_when_empty: [logged_off]"), "queues.yaml:2:28", "unknown-factor", "did you mean `logged_out`?"),
    (queue("require: {spansh: 2}"), "queues.yaml:2:21", "unknown-skill", "did you mean `spanish`?"),
    ({"queues.yaml": "sales: {ring_s: 15}\n"}, "queues.yaml:1:1", "unknown-key", "write it below `queues:`"),
    ({"queues.yaml": "queues: [sales]\n"}, "queues.yaml:1:9", "wrong-type", "write `queues: {sales: {}}`"),
    ({"queues.yaml": "queues:\n  sales:\n\tring_s: 9\n"}, "queues.yaml:3:1", "syntax", "indent with spaces"),
    (node("require: {spansh: 2}"), "flows/line.yaml:3:31", "unknown-skill", "did you mean `spanish`?"),
    (node("prefer: {spansh: 2}"), "flows/line.yaml:3:30", "unknown-skill", "did you mean `spanish`?"),
    (node(RELAXED % "require: {spanish: 9}"), "flows/line.yaml:3:85", "skill-too-high", "ask for less"),
    (node(RELAXED % "lower: {spanish: 3}"), "flows/line.yaml:3:52", "relax-no-change", "take the step out"),
    (node(RELAXED % "swap: {spanish: english}"), "flows/line.yaml:3:82", "unknown-skill", "there are: spanish"),
    (node("require: {spanish: 11}"), "flows/line.yaml:3:40", "out-of-range", ""),
    (agents("  alice: {queues: [sales]}\n"), "agents.yaml:2:3", "missing-key", "add `device:`"),
    (agents(AGENT.replace("PJSIP/", "")), "agents.yaml:2:19", "bad-device", "write for instance PJSIP/1001"),
    (agents(AGENT.replace("[sales]", "sales")), "agents.yaml:2:39", "wrong-type", "write [a, b], or one"),
    (agents(AGENT.replace("alice", "Alice Ray")), "agents.yaml:2:3", "bad-name", "for instance alice_ray"),
    (agents("  - {device: PJSIP/1003}\n"), "agents.yaml:2:3", "wrong-type", "write `agents: {alice: {device:"),
    (
        agents("  a: {device: PJSIP/1, queues: [sales], code: 21}\n  b: {device: PJSIP/2, code: 21}\n"),
        "agents.yaml:3:30",
        "shared-code",
        "each agent has their own",
    ),
    (agents(AGENT.replace("PJSIP/1003", "")), "agents.yaml:2:19", "bad-device", "for instance PJSIP/1001"),
    (agents(AGENT.replace("queues", "code: 2a, queues")), "agents.yaml:2:37", "out-of-range", "2 to 12 digits"),
    (agents(AGENT.replace("queues", "numbers: [ann], queues")), "agents.yaml:2:41", "out-of-range", "an extension"),
    (
        {"agents.yaml": "pause_reasons: [lunch, {break: {at_once: 1}}]\nagents:\n" + AGENT},
        "agents.yaml:1:16",
        "wrong-type",
        "and `training:` for one without",
    ),
    (queue("rona: {causes: {busy: pauze}}"), "queues.yaml:2:33", "unknown-choice", "did you mean `pause`?"),
    (pauses("lunch: 3600"), "agents.yaml:1:24", "wrong-type", "write `{at_most_s: 3600}`"),
    (pauses("lunch: {then: available}"), "agents.yaml:1:25", "no-effect", "add `at_most_s: 1800`"),
    (pauses("lunch: {exempt: [alice]}"), "agents.yaml:1:25", "no-effect", "or take `exempt` out"),
    (
        {"cordboard.yaml": "asterisk: {ami: {secret: hunter2}}\n"},
        "cordboard.yaml:1:26",
        "secret-in-file",
        "secrets/",
    ),
]


@pytest.mark.parametrize(("files", "place", "code", "cure"), MISTAKES, ids=[str(case[1:3]) for case in MISTAKES])
def test_a_mistake_is_told_at_its_place_with_the_cure(
    files: dict[str, str], place: str, code: str, cure: str, tmp_path: Path
) -> None:
    sound = {
        "cordboard.yaml": SETTINGS,
        "numbers.yaml": "default: line\n",
        "flows/line.yaml": FLOW,
        **queue(""),
        **agents(AGENT),
    }
    (tmp_path / "flows").mkdir()
    for name, text in (sound | files).items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load_configuration(tmp_path, environment={}, need_secrets=False)
    (told,) = refused.value.findings
    assert (f"{told.file}:{told.line}:{told.column}", told.code) == (f"{tmp_path}/{place}", code)
    assert cure in told.hint
    assert "hunter2" not in told.message + told.hint
