"""crm.yaml: what is understood, and every fault at its place with a way out."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from cordboard.crm.connectors.directory import DirectoryConnector
from cordboard.crm.connectors.http import HttpConnector
from cordboard.crm.connectors.opening import open_connector
from cordboard.crm.crm_file import CrmSettings, Directory, load_crm
from cordboard.crm.http_answer import customers_in
from cordboard.crm.http_section import Http
from cordboard.errors import ConfigurationError
from cordboard.flows.conditions import Scope

ROOT = Path(__file__).parents[2]
PLAIN = "country: GB\nconnector: directory\ncustomer: {name: text, tier: text}\n"
HTTP = """country: GB
connector:
  http:
    url: "https://crm.example.com/customers?phone={number}"
    headers: {Authorization: {prefix: "Bearer ", env: CRM_TOKEN}}
customer: {name: text}
"""


def faults_of(directory: Path, text: str) -> list[tuple[int, int, str, str, str]]:
    (directory / "crm.yaml").write_text(text)
    try:
        load_crm(directory)
    except ConfigurationError as error:
        assert {finding.file for finding in error.findings} == {"crm.yaml"}
        return [(one.line, one.column, one.code, one.message, one.hint) for one in error.findings]
    return []


def test_without_a_file_there_is_no_crm(tmp_path: Path) -> None:
    assert load_crm(tmp_path) is None


def test_the_shortest_file_and_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text(PLAIN)
    crm = load_crm(tmp_path)
    assert crm is not None
    assert (crm.country, crm.timeout_s, crm.title_field) == ("GB", 0.8, "name")
    assert crm.connector.directory is not None
    assert crm.kinds == {"name": "string", "tier": "string"}


def test_the_file_we_ship_is_sound() -> None:
    crm = load_crm(ROOT / "ivr_flows")
    assert crm is not None
    assert set(crm.kinds.values()) == {"string", "int", "double", "bool"}


def test_every_field_name_we_allow_can_be_used_in_a_condition(tmp_path: Path) -> None:
    for word in ("in", "true", "null"):
        assert faults_of(tmp_path, PLAIN.replace("tier", word))[0][2] == "bad-name"
    for word in ("type", "size", "for", "map", "has", "call", "now", "as", "matches_", "package", "name"):
        assert faults_of(tmp_path, f"country: GB\nconnector: directory\ncustomer: {{{word}: text}}\n") == []
        assert Scope({f"customer.{word}": "string"}).compile(f"customer.{word} == ''").kind == "bool"


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "code", "message", "hint"),
    [
        ("GB", "UK", 1, 10, "unknown-country", "there is no country `UK`", "did you mean `GB`?"),
        ("country: GB\n", "", 1, 1, "missing-key", "`country` is missing", "add"),
        ("directory", "{}", 2, 12, "one-connector", "exactly one connector", "directory, http"),
        ("directory", "{htpp: {}}", 2, 13, "unknown-key", "unknown key `htpp`", "did you mean `http`?"),
        ("directory", "salesforce", 2, 12, "unknown-connector", "no connector `salesforce`", "directory, http"),
        ("directory", "directry", 2, 12, "unknown-connector", "no connector `directry`", "you mean `directory`?"),
        ("directory", "HTTP", 2, 12, "unknown-connector", "no connector `HTTP`", "did you mean `http`?"),
        ("directory", "http", 2, 12, "one-connector", "needs to know whom to ask", "{http: {url:"),
        ("directory", "[directory]", 2, 12, "wrong-type", "found a list", "write `connector: directory`"),
        ("{name: text, tier: text}", "[name, tier]", 3, 11, "wrong-type", "found a list", "{name: text}"),
        ("tier: text", "tier: txt", 3, 30, "unknown-choice", "`txt` is not one of `text`, `number`", ""),
        ("tier: text", "Tier: text", 3, 24, "bad-name", "`Tier` is no name for a field", "small letters"),
        ("tier: text", "found: text", 3, 24, "bad-name", "`found` has a meaning", "found_value"),
        ("{name: text, tier: text}", "{}", 3, 11, "out-of-range", "must not be empty", ""),
        ("country", "title: nmae\ncountry", 1, 8, "unknown-field", "no field `nmae`", "did you mean `name`?"),
        ("country", "timeout_s: 60\ncountry", 1, 12, "out-of-range", "60 is too big; at most 10", ""),
        ("country", "timeout_s: 2s\ncountry", 1, 12, "wrong-type", "expected a number", "write 2 alone"),
        ("directory", "{directory: {columns: {nmae: Name}}}", 2, 35, "unknown-field", "no field `nmae`", "`name`"),
        ("directory", "{directory: {colums: {}}}", 2, 25, "unknown-key", "`colums`", "did you mean `columns`?"),
    ],
)  # fmt: skip
def test_a_fault_in_the_file(
    tmp_path: Path, old: str, new: str, line: int, column: int, code: str, message: str, hint: str
) -> None:
    assert old in PLAIN
    ((*place, found, said, told),) = faults_of(tmp_path, PLAIN.replace(old, new))
    assert (*place, found) == (line, column, code)
    assert message in said
    assert hint in told


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("https:", "ftp:", "bad-url", "no address of an HTTP service"),
        ("https://crm.example.com", "https://", "bad-url", "no address"),
        ("https://crm.example.com", "https://{number}.example.com", "bad-url", "no host name"),
        ("https://crm.example.com", "https://crm.example.com{number}", "bad-url", "no host name"),
        ("https://crm.example.com", "https://crm.example.com:{digits}", "bad-url", "no address"),
        ("https://crm.example.com", "https://{number}@crm.example.com", "bad-url", "no user"),
        ("https://crm.example.com", "https://user:pw@crm.example.com", "bad-url", "no user"),
        ("https://crm.example.com", "https://127.0.0.1:99999", "bad-url", "no address"),
        ("https:", "http:", "plain-http", "unencrypted"),
        ("{number}", "{nummer}", "unknown-placeholder", "`{nummer}` is not known"),
        ("phone={number}", "x=y", "no-number", "stands nowhere"),
        ("Authorization:", "Host:", "bad-header", "set by the connector itself"),
        ("Authorization:", '"X: y":', "bad-header", "no name of a header"),
        ('"Bearer "', '"Zoë "', "bad-header", "printable"),
        ("env: CRM_TOKEN", "", "wrong-value", "write either `file:` or `env:`"),
        ("customer:", "    body: {q: '{number}'}\ncustomer:", "body-with-get", "a GET has no body"),
        ("customer:", "    method: get\ncustomer:", "unknown-choice", "`get` is not one of"),
        ("customer:", "    none_if: [500]\ncustomer:", "out-of-range", "500 is too big; at most 499"),
    ],
)
def test_a_fault_in_the_http_section(tmp_path: Path, old: str, new: str, code: str, message: str) -> None:
    assert faults_of(tmp_path, HTTP) == []
    assert old in HTTP
    found = faults_of(tmp_path, HTTP.replace(old, new))
    assert any(one[2] == code and message in one[3] for one in found), found


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:80"])
def test_plain_http_is_fine_on_this_machine_and_where_it_is_asked_for(tmp_path: Path, host: str) -> None:
    assert faults_of(tmp_path, HTTP.replace("https://crm.example.com", f"http://{host}")) == []
    allowed = HTTP.replace("https:", "http:").replace("    headers", "    allow_plain_http: true\n    headers")
    assert faults_of(tmp_path, allowed) == []


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = "country: XX\nconnector: {}\ncustomer: {Name: text}\ntitel: x\n"
    found = [(line, code) for line, _, code, _, _ in faults_of(tmp_path, text)]
    assert found == [(1, "unknown-country"), (2, "one-connector"), (3, "bad-name"), (4, "unknown-key")]


# connectors


async def test_the_connector_that_is_asked_for_is_made(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text(PLAIN)
    crm = load_crm(tmp_path)
    assert crm is not None
    directory = open_connector(crm, tmp_path, tmp_path / "state", {})
    assert isinstance(directory, DirectoryConnector)
    await directory.close()

    (tmp_path / "crm.yaml").write_text(HTTP)
    crm = load_crm(tmp_path)
    assert crm is not None
    http = open_connector(crm, tmp_path, tmp_path / "state", {"CRM_TOKEN": "abc"})
    assert isinstance(http, HttpConnector)
    assert http._client._client.headers["Authorization"] == "Bearer abc"
    await http.close()


@pytest.mark.parametrize("secret", [None, "", "a\nb", "schlüssel"])
def test_a_secret_that_cannot_be_used_is_told_without_it(tmp_path: Path, secret: str | None) -> None:
    (tmp_path / "crm.yaml").write_text(HTTP)
    crm = load_crm(tmp_path)
    assert crm is not None
    with pytest.raises(ConfigurationError) as refused:
        open_connector(crm, tmp_path, tmp_path, {} if secret is None else {"CRM_TOKEN": secret})
    (finding,) = refused.value.findings
    assert (finding.file, finding.code) == ("crm.yaml", "secret-unreadable")
    assert not secret or secret not in str(finding)


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text(HTTP.replace("    headers", "    ca_file: ca.pem\n    headers"))
    crm = load_crm(tmp_path)
    assert crm is not None
    with pytest.raises(ConfigurationError, match=r"ca\.pem cannot be read"):
        open_connector(crm, tmp_path, tmp_path, {"CRM_TOKEN": "x"})


# the manual

MANUAL = (ROOT / "docs" / "crm.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_manual_loads(tmp_path: Path, example: str) -> None:
    example = dedent(example)
    if not example.startswith("country:"):
        example = f"country: GB\n{example}customer: {{name: text, tier: text}}\n"
    assert faults_of(tmp_path, example) == []


def test_the_answer_in_the_manual_is_read_by_the_file_beside_it(tmp_path: Path) -> None:
    (answer,) = re.findall(r"```json\n(.*?)```", MANUAL, re.DOTALL)
    (tmp_path / "crm.yaml").write_text(next(example for example in EXAMPLES if "http:" in example))
    crm = load_crm(tmp_path)
    assert crm is not None
    assert crm.connector.http is not None
    (found,) = customers_in(answer.encode(), crm.connector.http, crm.customer)
    assert found.fields == {"name": "Ada Lovelace", "tier": "gold", "open_tickets": 1}
    assert (found.customer_id, found.updated_at) == ("7", 1_793_611_800.0)


def test_the_manual_has_every_key() -> None:
    for section in (CrmSettings, Http, Directory):
        for key in section.model_fields:
            assert re.search(rf"`{key}`|^ *{key}:", MANUAL, re.MULTILINE), key
