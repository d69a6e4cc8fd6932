"""Writes what is measured: a menu of a company, a flow of 3,000 nodes, and 1,000 tests."""

from __future__ import annotations

from pathlib import Path

from tests.bench.flows.figures import LINT_NODES, TEST_CASES

SETTINGS = 'extensions: {10XX: "PJSIP/{extension}"}\n'
NUMBERS = "default: company\n"
QUEUES = "queues: {sales: {ring_s: 15}}\n"
AGENTS = "agents: {alice: {device: PJSIP/1001, queues: [sales]}}\n"
COMPANY = """\
flow: company
languages: [en, es]
on_failure: sorry
prompts:
  welcome: {en: Welcome., es: Bienvenido.}
  main: {en: "Sales 1, account 2, Spanish 3.", es: "Ventas 1, cuenta 2."}
  account: {en: Your account number., es: Su número de cuenta.}
  again: {en: Once more., es: Otra vez.}
  sorry: {en: Sorry., es: Disculpe.}
nodes:
  welcome: {play: welcome, next: main}
  main:
    menu: main
    keys: {1: sales, 2: account, 3: spanish}
    no_input: {then: sales}
    no_match: {say: again, then: sales}
  spanish: {language: es, next: main}
  account:
    gather: account
    save: account
    max_digits: 6
    no_input: {then: sales}
    no_match: {then: sales}
    next: count
  count: {set: {looks: {cel: "size(account)"}, gold: {cel: "account.startsWith('9')"}}, next: read_back}
  read_back: {say: {digits: {cel: account}}, next: which}
  which: {branch: [{if: "gold && looks == 6", then: adviser}], else: main}
  adviser: {dial: "1001", otherwise: main, next: bye}
  sales: {queue: sales, otherwise: sorry, next: bye}
  sorry: {play: sorry, next: bye}
  bye: {hangup: normal}
"""
CASE = """\
  - name: case {number}
    given: {{at: "2026-11-23 12:00", ani: "+442079460{number:03d}"}}
    caller: [{{hears: main}}, {{presses: 2}}, {{presses: "9{number:05d}"}}, {{joined: "1001"}}]
    expect: {{passes: [account, count, which, adviser], variables: {{account: "9{number:05d}"}}, outcome: finished}}
"""


def write_site(folder: Path) -> None:
    """A configuration with the company's flow and its tests."""
    (folder / "flows").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "cordboard.yaml").write_text(SETTINGS)
    (folder / "numbers.yaml").write_text(NUMBERS)
    (folder / "queues.yaml").write_text(QUEUES)
    (folder / "agents.yaml").write_text(AGENTS)
    (folder / "flows" / "company.yaml").write_text(COMPANY)
    cases = "".join(CASE.format(number=number) for number in range(TEST_CASES))
    (folder / "tests" / "company.yaml").write_text(f"flow: company\ntests:\n{cases}")


def long_flow() -> str:
    """A flow of many nodes of every common type, without a fault."""
    lines = ["flow: long", "on_failure: bye", "prompts: {hello: {en: Hello.}, again: {en: Again.}}", "nodes:"]
    lines += [f"  n{number}: {_node(number, f'n{number + 1}')}" for number in range(LINT_NODES - 2)]
    lines += [f"  n{LINT_NODES - 2}: {{play: [hello, again], next: bye}}", "  bye: {hangup: normal}"]
    return "\n".join(lines) + "\n"


def _node(number: int, following: str) -> str:
    kinds = (
        f"{{play: hello, next: {following}}}",
        f"{{menu: hello, keys: {{1: {following}, 2: bye}}, no_input: {{then: bye}}, no_match: {{then: bye}}}}",
        f"{{set: {{v{number}: {{cel: 'size(call.ani) + {number}'}}}}, next: {following}}}",
        f"{{branch: [{{if: 'v{number - 1} > 5', then: bye}}], else: {following}}}",
        f"{{say: {{number: {{cel: v{number - 2}}}}}, next: {following}}}",
        f"{{gather: hello, save: d{number}, next: {following}}}",
        f"{{say: {{digits: {{cel: d{number - 1}}}}}, next: {following}}}",
        f"{{language: en, next: {following}}}",
    )
    is_whole_round = number < (LINT_NODES - 2) // len(kinds) * len(kinds)  # else a value would be asked for in vain
    return kinds[number % len(kinds) if is_whole_round else 0]
