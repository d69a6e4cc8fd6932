"""Values in a language for which a switch has no rules: told when the flow is loaded, as it would be silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordboard.config.yaml_reader import parse_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.loader import load_flow
from tests.unit.test_lint_corpus import AROUND

FLOW = """\
flow: clock
languages: [en, {language}]
prompts: {{hello: {{en: "Hello.", {language}: "Hej."}}}}
nodes:
  greet: {{play: hello, next: number}}
  number: {node}
  bye: {{hangup: normal}}
"""
SAYS = "{say: {number: 7}, next: bye}"
SILENT = "{play: hello, next: bye}"


@pytest.mark.parametrize(
    ("language", "node", "switch", "expected"),
    [
        ("da", SAYS, "freeswitch", True),
        ("da", SAYS, "asterisk", False),
        ("da", SILENT, "freeswitch", False),
        ("fr", SAYS, "freeswitch", False),
    ],
)
def test_a_language_that_the_switch_cannot_speak(language: str, node: str, switch: str, expected: bool) -> None:
    text = FLOW.format(language=language, node=node)
    document, around = parse_yaml(text.encode(), "clock.yaml"), replace(AROUND, switches=(switch,))
    if expected:
        with pytest.raises(
            ConfigurationError, match=f"clock.yaml:2:17: {switch} cannot say values in `{language}`"
        ):
            load_flow(document, around)
    else:
        load_flow(document, around)
