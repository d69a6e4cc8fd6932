"""The YAML examples of the pages about queues and agents: copied word for word, lint finds nothing in them.

An example is a file of a configuration, or some nodes of a flow. What it only hints at is put around it: agents for
a queue, queues for an agent, the nodes it leads to. Blocks of a page that follow each other and are different files
are one configuration, as a reader takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from cordboard.bootstrap.configuration import load_configuration
from cordboard.config.yaml_reader import parse_yaml
from cordboard.lab.sim.scenario import parse_day

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("queues", "routing", "waiting", "callbacks", "agents", "compat", "kpis", "store", "running")
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
NODES = "nodes of a flow"
TITLE = re.compile(rf"# ([a-z]+\.yaml|{NODES})\b")
SETTINGS = "country: GB\noutside: {device: 'PJSIP/{number}@trunk', countries: [GB]}\n"
PROMPTS = {"waiting": "our_hours", "callbacks": "shall_we_call_you"}
LED_TO = {
    "routing": ["sorry"],
    "waiting": ["operator", "call_back", "night", "sorry"],
    "callbacks": ["sorry", "we_will_call"],
}

Files = dict[str, str]  # the name of a file, or NODES, to its text


def examples(page: str) -> list[tuple[str, str]]:
    """The blocks of a page with what each of them is, by its first line."""
    texts = BLOCK.findall((DOCS / f"{page}.md").read_text("utf-8"))
    titles = [TITLE.match(text) for text in texts]
    assert all(titles), f"a block of {page}.md does not say in its first line which file it is"
    return [(title[1], text) for title, text in zip(titles, texts, strict=True) if title]


def configurations(page: str) -> Iterator[Files]:
    """What a reader of the page writes: files that belong together."""
    files: Files = {}
    for name, text in examples(page):
        if name in files:
            yield files
            files = {}
        files[name] = text
    if files:
        yield files


def data_of(text: str) -> dict[str, Any]:
    data = parse_yaml(text.encode(), "example").data
    assert isinstance(data, dict)
    return data


def complete(page: str, files: Files) -> Files:
    """The same with what it only hints at: every example has a queue and an agent then."""
    queues, agents = files.get("queues.yaml", "queues:\n"), files.get("agents.yaml", "agents:\n")
    written = set(data_of(queues)["queues"] or ())
    served = {queue for agent in (data_of(agents)["agents"] or {}).values() for queue in agent["queues"]}
    needed = written | served or {"inside"}
    queues += "".join(f"  {queue}: {{}}\n" for queue in sorted(needed - written))
    if needed - served:
        agents += f"  somebody: {{device: PJSIP/1999, queues: [{', '.join(sorted(needed - served))}]}}\n"
    nodes = files.get(NODES, "only: {hangup: normal}\n")
    return {
        "cordboard.yaml": SETTINGS + files.get("cordboard.yaml", ""),
        "numbers.yaml": "default: example\n",
        "queues.yaml": queues,
        "agents.yaml": agents,
        "flows/example.yaml": flow_around(nodes, LED_TO.get(page, ()), PROMPTS.get(page)),
    }


def flow_around(nodes: str, led_to: Iterable[str], prompt: str | None) -> str:
    """A flow with these nodes and those they lead to."""
    prompts = f"prompts: {{{prompt}: Hello.}}\n" if prompt else ""
    others = "".join(f"  {name}: {{hangup: normal}}\n" for name in led_to)
    return f"flow: example\n{prompts}nodes:\n{indent(nodes, '  ')}{others}"


def write(files: Files, folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_example_is_taken_without_a_finding(page: str, tmp_path: Path) -> None:
    for number, files in enumerate(configurations(page)):
        folder = tmp_path / str(number)
        write(complete(page, files), folder)
        assert load_configuration(folder, environment={}, need_secrets=False).warnings == ()


def test_the_simulated_day_is_taken() -> None:
    (text,) = BLOCK.findall((DOCS / "simulation_days.md").read_text("utf-8"))
    day = parse_day(parse_yaml(text.encode(), "simulation_days.md"))
    assert set(day.plan.queues) == {"support"}
