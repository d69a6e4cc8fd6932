"""Seeded defects: one flow for each class, in `tests/corpus/lint`. Each is found at its line, and nothing else is.

The line is marked in the file by a comment, `# expect: code`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.bootstrap.configuration import load_configuration
from cordboard.config.codes import CHAPTERS, CODES
from cordboard.config.findings import Finding
from cordboard.config.needs_checks import QueueSkills
from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.loader import load_flow
from cordboard.flows.surroundings import MessageBox, ScriptShape, SubflowShape, Surroundings
from cordboard.telephony.dial_policy import DialPolicy

FOLDER = Path(__file__).parents[1] / "corpus" / "lint"
LIBRARY = Path(__file__).parents[2] / "ivr_flows"
FILES = sorted(FOLDER.glob("*.yaml"))
EXPECTED = re.compile(r"# expect: ([a-z0-9-]+)")
AROUND = Surroundings(
    dial_policy=DialPolicy.of({"0": "PJSIP/1000", "10XX": "PJSIP/{extension}"}),
    voicemail_boxes={"sales": MessageBox("sales")},
    flow_names=frozenset({"billing", "confirm"}),
    queues=frozenset({"sales", "letters"}),
    not_for_calls=frozenset({"letters"}),
    customer_fields={"tier": "string"},
    agents={"alice": "PJSIP/1001", "dan": "PJSIP/1004"},
    pause_reasons=frozenset({"lunch"}),
    dispositions=frozenset({"sold"}),
    queue_skills={
        "sales": QueueSkills(
            agents={"alice": {"spanish": 4}, "bob": {"billing": 2}},
            everybody=frozenset({"spanish", "billing"}),
            goes_on=("night",),
            longest_s=600.0,
        ),
        "night": QueueSkills(agents={"bob": {"billing": 2, "spanish": 1}}),
    },
    subflows={"confirm": SubflowShape({"number": "string"}, {"ok": "bool"}, ("en",))},
    http_services={"orders": 2.0},
    scripts={
        "price": ScriptShape({"order": "string"}, {"price": "double"}),
        "check": ScriptShape({}, {"ok": "bool"}, frozenset({"pin"})),
    },
    destinations={"reception": "from-internal,100,1"},
)
# Where the defect lies in what is around the flow.
AROUND_OF = {
    "no-crm": replace(AROUND, customer_fields={}),
    "no-extensions": replace(AROUND, dial_policy=DialPolicy()),
    "switch-lacks": replace(
        AROUND, switches=("asterisk", "freeswitch"), destinations={"reception": "from-internal,100,2"}
    ),
}
# Found by tests of their own: they need files of a megabyte, several files, or none at all.
ELSEWHERE = {
    "too-big", "too-many-values", "unreadable", "unreadable-file", "duplicate-entry", "duplicate-flow",
    "subflow-cycle", "subflow-depth",
}  # fmt: skip
ABOUT_FLOWS = ("Reading a file", "Writing a flow", "Expressions", "A flow as a whole")


def findings_of(path: Path) -> list[Finding]:
    """Everything that is found in a file."""
    try:
        return list(load_flow(parse_yaml(path.read_bytes(), path.name), AROUND_OF.get(path.stem, AROUND)).warnings)
    except ConfigurationError as refused:
        return [*refused.findings, *refused.warnings]


def expected_of(path: Path) -> set[tuple[int, str]]:
    lines = path.read_bytes().decode("latin-1").split("\n")
    return {(number, found[1]) for number, line in enumerate(lines, 1) for found in EXPECTED.finditer(line)}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_defect_is_found_at_its_line_and_nothing_else(path: Path) -> None:
    found = findings_of(path)
    assert {(one.line, one.code) for one in found} == expected_of(path), found
    assert {one.code for one in found} == {path.stem}
    assert all(one.hint or one.code in CODES for one in found)
    assert all(one.severity == CODES[one.code].severity for one in found)


def test_there_is_a_flow_for_each_code_about_flows() -> None:
    codes = {code for chapter in ABOUT_FLOWS for code in CHAPTERS[chapter]}
    assert codes - ELSEWHERE <= {path.stem for path in FILES}
    assert codes >= ELSEWHERE


def test_nothing_is_found_in_the_library() -> None:
    """Not even a warning: it is what people copy."""
    configuration = load_configuration(LIBRARY, environment={}, need_secrets=False)
    assert [str(one) for one in configuration.warnings] == []
