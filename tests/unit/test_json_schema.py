"""The JSON Schemas for editors: valid, published, telling of every key, true of examples, of no broken flow."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match
from typer.testing import CliRunner

from cordboard.cli_schema import schema as schema_command
from cordboard.config.yaml_reader import parse_yaml, read_yaml
from cordboard.errors import ConfigurationError
from cordboard.flows.nodes import NODE_TYPES
from cordboard.schema.catalog import NAMES, schema
from cordboard.schema.draft07 import sections_in
from cordboard.schema.files import file_of, modeline, schema_for, text_of, with_modeline

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "ivr_flows"
CORPUS = ROOT / "tests" / "corpus" / "lint"
PUBLISHED = ROOT / "docs" / "schema"
SCHEMAS = {name: schema(name) for name in NAMES}
CHECKS = {name: Draft7Validator(one) for name, one in SCHEMAS.items()}
FILES = [
    path for path in sorted(EXAMPLES.rglob("*.yaml")) if not path.relative_to(EXAMPLES).parts[0].startswith(".")
]
# Defects of the corpus that lie in the shape of the file, as a schema can see it; names and ways are lint's.
SHAPE = {
    "missing-key", "unknown-key", "unknown-choice", "wrong-type", "out-of-range", "no-verb", "unknown-verb",
    "two-verbs",
}  # fmt: skip
# Shapes that a schema of draft-07 does not tell, or that are told more clearly by lint alone.
ONLY_LINT = {
    "bad-name", "wrong-value", "say-one-thing", "dial-one-target", "one-method", "same-key", "scale-and-keys",
    "say-and-tapered", "no-save", "bad-path", "bad-status", "bad-tag", "body-with-get", "body-too-big",
    "unfit-option", "record-without-consent", "unknown-zone",
}  # fmt: skip


def faults(name: str, data: Any) -> list[str]:
    return [f"{list(one.absolute_path)}: {one.message}" for one in CHECKS[name].iter_errors(data)]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(name: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("name", NAMES)
def test_every_key_has_a_hover_text(name: str) -> None:
    silent = [
        f"{way}: {key}"
        for way, properties in sections_in(SCHEMAS[name])
        for key, written in properties.items()
        if not written.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(EXAMPLES)) for path in FILES])
def test_every_example_fits_its_schema(path: Path) -> None:
    name = schema_for(PurePosixPath(path.relative_to(EXAMPLES)))
    assert name is not None
    assert faults(name, read_yaml(path).data) == []


@pytest.mark.parametrize("code", sorted(SHAPE))
def test_a_flow_of_the_wrong_shape_does_not(code: str) -> None:
    assert faults("flow", read_yaml(CORPUS / f"{code}.yaml").data) != []


def test_a_flow_whose_shape_is_right_does_fit() -> None:
    """Whatever else is wrong with it: an editor must not mark what the service would take."""
    refused = {}
    for path in CORPUS.glob("*.yaml"):
        try:
            data = parse_yaml(path.read_bytes(), path.name).data
        except ConfigurationError:
            continue
        if path.stem not in SHAPE and (found := faults("flow", data)):
            refused[path.stem] = found
    assert set(refused) <= ONLY_LINT, refused


def test_a_fault_in_a_node_is_told_at_its_key() -> None:
    flow = {"flow": "a", "nodes": {"a": {"menu": "ask", "keys": {"1": "b"}, "barge_in": "no"}}}
    fault = best_match(CHECKS["flow"].iter_errors(flow))
    assert fault is not None
    assert list(fault.absolute_path) == ["nodes", "a", "barge_in"]
    assert fault.message == "'no' is not of type 'boolean'"


@pytest.mark.parametrize("verb", sorted(NODE_TYPES))
def test_a_node_is_known_by_its_verb_and_told_in_a_sentence(verb: str) -> None:
    written = SCHEMAS["flow"]["definitions"][NODE_TYPES[verb].__name__]
    assert verb in written["properties"]
    assert written["required"][0] == verb or verb == "http"
    assert len(written["description"].split()) > 3
    assert "See the module" not in written["description"]


def test_numbers_and_words_without_quotes_are_texts_as_they_are_for_the_service() -> None:
    assert faults("flow", {"flow": "a", "prompts": {"x": 5}, "nodes": {"a": {"dial": 1001}}}) == []
    assert faults("numbers", {"numbers": {"5000": "a"}}) == []
    assert faults("queues", {"queues": {"sales": None}}) == []
    assert faults("crm", {"country": "GB", "connector": "directory", "customer": {"name": "text"}}) == []


def test_patterns_hold_for_keys_too() -> None:
    assert faults("flow", {"flow": "a", "nodes": {"1a": {"hangup": "normal"}}}) != []
    assert faults("flow", {"flow": "a", "nodes": {"a": {"menu": "ask", "keys": {"x": "a"}}}}) != []


# published


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("folder", [PUBLISHED, EXAMPLES / ".schemas"], ids=["docs", "ivr_flows"])
def test_the_published_schemas_are_current(folder: Path, name: str) -> None:
    """`cordboard schema --out docs/schema` and `--out ivr_flows/.schemas` write them anew."""
    assert (folder / file_of(name)).read_text("utf-8") == text_of(name)


def test_the_command_writes_them_all(tmp_path: Path) -> None:
    import typer

    app = typer.Typer()
    app.command()(schema_command)
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "new")])
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {file_of(name) for name in NAMES}
    assert all(json.loads(path.read_text()) for path in (tmp_path / "new").iterdir())


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("flows/support.yaml", "# yaml-language-server: $schema=../.schemas/flow.schema.json"),
        ("scenarios/demo/calls.yaml", "# yaml-language-server: $schema=../../.schemas/scenario.schema.json"),
        ("queues.yaml", "# yaml-language-server: $schema=.schemas/queues.schema.json"),
        ("tests/support.yaml", "# yaml-language-server: $schema=../.schemas/tests.schema.json"),
        ("customers.csv", ""),
        ("other.yaml", ""),
    ],
)
def test_the_line_for_editors_leads_to_the_schema_from_where_the_file_is(file: str, line: str) -> None:
    path = PurePosixPath(file)
    assert modeline(path) == line
    with_it = with_modeline(path, "flow: a\n")
    assert with_it == (f"{line}\nflow: a\n" if line else "flow: a\n")
    assert with_modeline(path, with_it) == with_it
