"""The flows we ship pass their own tests, which go everywhere in them; the manual's examples are written right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cordboard.bootstrap.configuration import load_configuration
from cordboard.bootstrap.rehearsing import Results, played_tests
from cordboard.config.validation import validate
from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.loader import load_flow
from cordboard.flows.nodes import NODE_TYPES
from cordboard.flows.reference_page import PAGE, with_reference
from cordboard.pictures.chart import chart_of
from cordboard.pictures.svg import draw_svg

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "ivr_flows"
FLOWS = load_configuration(LIBRARY, need_secrets=False).house.flows


@pytest.fixture(scope="module")
def results() -> Results:
    return played_tests(LIBRARY, [LIBRARY])


def test_every_test_of_the_library_passes(results: Results) -> None:
    assert [f"{one.test.name}: {one.failures}" for one in results.played if not one.passed] == []


@pytest.mark.parametrize("name", [name for name, flow in FLOWS.items() if flow.returns is None])
def test_the_tests_of_a_flow_go_through_every_node_of_it(results: Results, name: str) -> None:
    found = [one for one in results.coverage if one.flow == name]
    assert [one.missed_nodes for one in found] == [[]], "cordboard test ivr_flows shows what is left out"


@pytest.mark.parametrize("name", FLOWS)
def test_every_flow_speaks_both_languages_and_says_what_to_do_when_it_breaks(name: str) -> None:
    flow = FLOWS[name]
    assert flow.languages == ("en", "es")
    assert flow.on_failure or flow.returns is not None, "one that is called breaks the node that called it"


# the manual

EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / PAGE).read_text(), re.DOTALL)


def test_the_reference_of_the_manual_is_current() -> None:
    page = (ROOT / PAGE).read_text()
    assert page == with_reference(page), "write it anew: python -m cordboard.flows.reference_page"


def test_every_option_of_every_node_is_explained() -> None:
    lines = with_reference((ROOT / PAGE).read_text()).splitlines()
    assert [line for line in lines if re.match(r"\| `[a-z_.]+` \|  \|", line)] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.partition(":")[0].strip() for example in EXAMPLES])
def test_an_example_of_the_manual_is_written_right(example: str) -> None:
    document = parse_yaml(example.encode(), "manual.yaml")
    if "flow" in document.data:
        assert load_flow(document, None).nodes
        return
    for name, written in document.data.items():
        verbs = NODE_TYPES.keys() & written if isinstance(written, dict) else set()
        for verb in verbs:
            assert validate(NODE_TYPES[verb], document, (name,))[1] == []


def test_the_picture_of_the_readme_is_current() -> None:
    drawn = draw_svg(chart_of(FLOWS["support"]))
    assert (ROOT / "docs" / "flow.svg").read_text() == drawn, "cordboard graph support -o docs/flow.svg"
