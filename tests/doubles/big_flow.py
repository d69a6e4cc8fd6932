"""A flow of thousands of nodes of all usual kinds, for what has to be quick: reading, checking, drawing."""

from __future__ import annotations

import time

from cordboard.config.yaml_reader import parse_yaml
from cordboard.flows.loader import load_flow
from cordboard.flows.surroundings import Surroundings

_PROMPTS, _VARIABLES, _PER_BLOCK = 100, 50, 6


def big_flow(nodes: int) -> str:
    """The YAML of a flow of that many nodes, in blocks of six which lead to each other."""
    blocks = (nodes - 2) // _PER_BLOCK
    rest = nodes - 2 - blocks * _PER_BLOCK
    lines = ["flow: big", "languages: [en, es]", "on_failure: trouble", "prompts:"]
    lines += [f"  p{n}: {{en: Text {n} in English., es: Texto {n} en castellano.}}" for n in range(_PROMPTS)]
    lines.append("nodes:")
    for block in range(blocks):
        lines += _block(block, f"main{block + 1}" if block + 1 < blocks else "pad0" if rest else "bye")
    lines += [f"  pad{n}: {{play: p0, next: {f'pad{n + 1}' if n + 1 < rest else 'bye'}}}" for n in range(rest)]
    return "\n".join([*lines, "  trouble: {play: p0, next: bye}", "  bye: {hangup: normal}", ""])


def _block(block: int, following: str) -> list[str]:
    first, second, variable = block % _PROMPTS, (block + 1) % _PROMPTS, block % _VARIABLES
    return [
        f"  main{block}:",
        f"    menu: p{first}",
        f"    keys: {{1: ask{block}, 2: note{block}, 3: {following}}}",
        f"    no_input: {{say: p1, then: {following}}}",
        f"    no_match: {{say: p2, then: {following}}}",
        f"  ask{block}: {{gather: p{second}, save: v{variable}, max_digits: 6, next: which{block}}}",
        f"  which{block}:",
        f"    branch: [{{if: \"v{variable} == '1' && call.language == 'es'\", then: note{block}}}]",
        f"    else: ring{block}",
        f"  note{block}: {{set: {{c{variable}: {block}}}, next: wait{block}}}",
        f"  wait{block}: {{queue: sales, otherwise: {following}, next: bye}}",
        f'  ring{block}: {{dial: "1001", otherwise: wait{block}, next: bye}}',
    ]


def seconds_to_lint(nodes: int, around: Surroundings) -> float:
    """Processor time to read, load and lint such a flow, as `cordboard lint` does."""
    text = big_flow(nodes).encode()
    began = time.process_time()
    load_flow(parse_yaml(text, "big.yaml"), around)
    return time.process_time() - began
