"""The pages about flow tests name every step and every key; their examples are true."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from cordboard.bootstrap.rehearsing import premises_of
from cordboard.config.yaml_reader import parse_yaml
from cordboard.simulation.caller_steps import STEPS
from cordboard.simulation.expectations import Expect
from cordboard.simulation.flow_tests import parse_tests
from cordboard.simulation.given import Given
from cordboard.simulation.suite import play
from cordboard.starter.copying import make_configuration

DOCS = Path(__file__).parents[2] / "docs"


def keys_of(heading: str) -> set[str]:
    """The keys in the first column of the table below a heading."""
    _, _, below = (DOCS / "flow_tests.md").read_text("utf-8").partition(f"## {heading}\n")
    cells = [line.split("|")[1] for line in below.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return {key for cell in cells for key in re.findall(r"`\{?([a-z_]+)", cell)}


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("What the caller does", set(STEPS)),
        ("What the call is given", set(Given.model_fields)),
        ("What must come of it", set(Expect.model_fields)),
    ],
)
def test_every_key_is_told(heading: str, known: set[str]) -> None:
    assert keys_of(heading) == known


def test_the_example_passes(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(flow: support\n.*?)```", (DOCS / "flow_tests.md").read_text("utf-8"), re.DOTALL)
    assert example is not None
    make_configuration(tmp_path / "acme")
    premises = premises_of(tmp_path / "acme")
    (test,) = parse_tests(parse_yaml(dedent(example[1]).encode(), "flow_tests.md"), premises)
    assert play(test, premises).failures == ()
