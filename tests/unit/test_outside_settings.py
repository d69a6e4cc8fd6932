"""Web services and scripts in cordboard.yaml: what is refused where, and what flows get to know of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.bootstrap.configuration import load_configuration
from cordboard.bootstrap.linting import lint
from cordboard.config.findings import Finding
from cordboard.errors import ConfigurationError
from cordboard.settings import load_settings
from cordboard.telephony.verbs import AnswerField

FLOW = """
flow: shop
nodes:
  ask: {gather: ask, save: no, next: order}
  order: {http: orders, get: "/orders/{no}", answer: {state: {type: text}}, save: order, next: price, on_error: bye}
  price: {script: price, with: {order: {cel: no}}, save: quote, next: bye, on_error: bye}
  bye: {hangup: normal}
prompts: {ask: Which order?}
"""
SETTINGS = """
http: {orders: {url: https://api.example.org/v1/, headers: {Authorization: {file: secrets/orders}}}}
scripts: {price: {entry: "prices:quote", params: {order: text}, returns: {price: number}}}
"""


def site(tmp_path: Path, settings: str = SETTINGS) -> Path:
    """A configuration directory with these settings."""
    for folder in ("flows", "secrets", "scripts"):
        (tmp_path / folder).mkdir()
    (tmp_path / "cordboard.yaml").write_text(settings)
    (tmp_path / "numbers.yaml").write_text("default: shop\n")
    (tmp_path / "flows" / "shop.yaml").write_text(FLOW)
    (tmp_path / "secrets" / "orders").write_text("s3cret\n")
    (tmp_path / "scripts" / "prices.py").write_text("def quote(*, order): return {'price': 1.0}\n")
    return tmp_path


def faults_of(tmp_path: Path, settings: str) -> tuple[Finding, ...]:
    (tmp_path / "cordboard.yaml").write_text(settings)
    with pytest.raises(ConfigurationError) as refused:
        load_settings(tmp_path, {})
    return refused.value.findings


def errors_of(directory: Path) -> list[Finding]:
    (linted,) = lint([directory])
    return [one for one in linted.findings if one.is_error]


def test_flows_know_services_and_scripts_by_name(tmp_path: Path) -> None:
    configuration = load_configuration(site(tmp_path), need_secrets=False)
    flow = configuration.house.flows["shop"]
    assert flow.variables["order.state"] == "string"
    assert flow.variables["quote.price"] == "double"
    (service,) = configuration.open_web_services().values()
    assert service.section.url == "https://api.example.org/v1"
    assert AnswerField("state", "state", "string").path == "state"
    assert errors_of(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "place", "code", "words"),
    [
        ("http: {orders: {url: api.example.org}}", (1, 22), "bad-url", "no address of an HTTP service"),
        ("http: {orders: {url: 'https://api.example.org/?x=1'}}", (1, 22), "bad-url", "no ?"),
        ("http: {orders: {url: 'https://api.example.org/{x}'}}", (1, 22), "bad-url", "no placeholder"),
        ("http: {orders: {url: 'https://u:p@api.example.org/'}}", (1, 22), "bad-url", "no user"),
        ("http: {orders: {url: 'https://2130706433/'}}", (1, 22), "bad-url", "in disguise"),
        ("http: {orders: {url: 'http://api.example.org/'}}", (1, 16), "plain-http", "unencrypted"),
        ("http: {orders: {url: 'https://10.0.0.1/'}}", (1, 16), "private-address", "a private address"),
        ("http: {orders: {url: 'https://localhost/'}}", (1, 16), "private-address", "a loopback address"),
        (
            "http: {orders: {url: 'https://169.254.169.254/', private: true}}",
            (1, 16),
            "private-address",
            "link-local",
        ),
        ("http: {Orders: {url: 'https://a.example/'}}", (1, 8), "bad-name", "`Orders`"),
        ("http: {orders: {url: 'https://a.example/', headers: {Host: x}}}", (1, 54), "bad-header", "`Host`"),
        ("http: {orders: {url: 'https://a.example/', timeout_s: 11}}", (1, 55), "out-of-range", "10"),
        ("scripts: {price: {entry: prices.quote}}", (1, 26), "bad-entry", "`prices.quote`"),
        ("scripts: {price: {entry: 'prices:quote()'}}", (1, 26), "bad-entry", "names no Python function"),
        ("scripts: {price: {entry: 'a:b', params: {x: float}}}", (1, 45), "unknown-choice", "float"),
        ("scripts: {price: {entry: 'a:b', params: {x: text}, secrets: [x]}}", (1, 18), "param-twice", "`x`"),
        ("script_pool: {processes: 0}", (1, 26), "out-of-range", "1"),
    ],
)
def test_findings(tmp_path: Path, settings: str, place: tuple[int, int], code: str, words: str) -> None:
    (finding,) = faults_of(tmp_path, settings)
    assert ((finding.line, finding.column), finding.code) == (place, code)
    assert words in finding.message


def test_lint_finds_a_secret_that_is_not_there(tmp_path: Path) -> None:
    (site(tmp_path) / "secrets" / "orders").unlink()
    (finding,) = errors_of(tmp_path)
    assert (finding.file, finding.line, finding.code) == (str(tmp_path / "cordboard.yaml"), 2, "secret-unreadable")
    assert "s3cret" not in str(finding)
    with pytest.raises(ConfigurationError, match="secret-unreadable"):
        load_configuration(tmp_path, need_secrets=False).open_web_services()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "ModuleNotFoundError: No module named 'prices'"),
        ("import nothing_like_it", "ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("def quote(:", "SyntaxError: "),
        ("def quite(): pass", "AttributeError: module 'prices' has no attribute 'quote'"),
        ("quote = 1", "TypeError: quote is no function"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("import os; os._exit(0)", "its process ended"),
    ],
)
def test_lint_finds_a_script_that_cannot_be_imported(tmp_path: Path, script: str | None, words: str) -> None:
    file = site(tmp_path) / "scripts" / "prices.py"
    if script is None:
        file.unlink()
    else:
        file.write_text(script)
    (finding,) = errors_of(tmp_path)
    assert (finding.file, finding.line, finding.column) == (str(tmp_path / "cordboard.yaml"), 3, 26)
    assert finding.code == "script-unusable"
    assert f"`prices:quote` cannot be imported: {words}" in finding.message
    assert "scripts/prices.py" in finding.hint
