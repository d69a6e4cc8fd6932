"""Seeded defects: each fault an admin can make in a flow is found, at its line and column, with a way out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.errors import ConfigurationError
from cordboard.flows.loader import load_flows
from cordboard.flows.nodes import NODE_TYPES
from tests.doubles.flow_kit import AROUND, HEAD, PROMPTS, faults_of, flow_of, text_of

FIRST = len((HEAD + PROMPTS).splitlines()) + 3  # the line of the first node: the frame, an empty line, `nodes:`
DIAL = '{dial: "0", otherwise: bye}'

NODE_FAULTS = [
    # verbs
    ("a: {plya: hello, next: bye}", 7, "unknown-verb", "unknown node type `plya`", "did you mean `play`?"),
    ("a: {next: bye}", 3, "no-verb", "`a` does nothing", "known are as_agent, branch, callback, dial"),
    ("a: {}", 3, "no-verb", "`a` does nothing", "known are as_agent, branch, callback, dial"),
    (
        "a: {play: hello, menu: ask, next: bye}",
        20,
        "two-verbs",
        "`a` has two verbs: play and menu",
        "make two nodes",
    ),
    ("a: hello", 3, "wrong-type", "a node is a mapping with one verb", "write for instance"),
    ("1a: {play: hello, next: bye}", 3, "out-of-range", "`1a` does not fit the pattern", ""),
    # play
    ("a: {play: helo, next: bye}", 13, "unknown-prompt", "there is no prompt `helo`", "did you mean `hello`?"),
    ("a: {play: [hello, helo], next: bye}", 21, "unknown-prompt", "there is no prompt `helo`", "did you mean"),
    ("a: {play: [], next: bye}", 13, "out-of-range", "a list must not be empty", ""),
    ("a: {play: hello}", 3, "missing-key", "`next` is missing", "add `next:`"),
    ("a: {play: hello, nxt: bye, next: bye}", 20, "unknown-key", "unknown key `nxt`", "did you mean `next`?"),
    ("a: {play: hello, next: by}", 26, "unknown-node", "there is no node `by`", "did you mean `bye`?"),
    # say
    ("a: {say: {number: x}, next: bye}", 21, "wrong-type", "expected a number or a mapping", "write digits"),
    ("a: {say: {number: 0123}, next: bye}", 21, "wrong-type", "expected a number", "write 123 for a number"),
    ("a: {say: {digits: 12a}, next: bye}", 12, "wrong-value", "not only digits", ""),
    ("a: {say: {number: 1, digits: 1}, next: bye}", 12, "say-one-thing", "say one thing", "a node for each"),
    ("a: {say: {}, next: bye}", 12, "say-one-thing", "say one thing", ""),
    ("a: {say: {date: 2026-02-30}, next: bye}", 12, "wrong-value", "there is no such date", ""),
    ("a: {say: {number: {cel: call.ani}}, next: bye}", 27, "expression-type", "this gives text, not a whole", ""),
    # menu
    ("a: {menu: ask, keys: {}}", 24, "out-of-range", "a mapping must not be empty", ""),
    ("a: {menu: ask, keys: {12x: bye}}", 25, "out-of-range", "`12x` does not fit the pattern", ""),
    ("a: {menu: ask, keys: {1: by}}", 28, "unknown-node", "there is no node `by`", "did you mean `bye`?"),
    ("a: {menu: ask, keys: {1: bye, 1: a}}", 33, "duplicate-key", "`1` is written twice", "keep one"),
    ("a: {menu: ask, keys: {1: bye}, no_input: {after_s: 0}}", 54, "out-of-range", "more than 0", ""),
    (
        "a: {menu: ask, keys: {1: bye}, no_input: {tries: 9:30}}",
        52,
        "wrong-type",
        "expected a whole number",
        "a time",
    ),
    (
        "a: {menu: ask, keys: {1: bye}, barge_in: no}",
        44,
        "wrong-type",
        "expected `true` or `false`",
        "write `false`",
    ),
    (
        "a: {menu: ask, keys: {1: bye}, no_match: {say: agin}}",
        50,
        "unknown-prompt",
        "`agin`",
        "did you mean `again`?",
    ),
    ("a: {menu: ask, keys: {1: bye}, no_match: {then: x1}}", 51, "unknown-node", "there is no node `x1`", "known"),
    # gather
    ("a: {gather: ask, save: Pin, next: bye}", 26, "bad-name", "`Pin` is no name", "small letters"),
    ("a: {gather: ask, save: call, next: bye}", 26, "bad-name", "`call` has a meaning", "call_value"),
    ("a: {gather: ask, save: n, min_digits: 9, max_digits: 4, next: bye}", 6, "out-of-range", "`min_digits` 9", ""),
    ("a: {gather: ask, save: n, end_key: x, next: bye}", 38, "out-of-range", "`x` does not fit", ""),
    ("a: {gather: ask, save: n, max_digits: 0123, next: bye}", 41, "wrong-type", "found `0123`", "write 123"),
    # branch and set
    ("a: {branch: [{if: 'x == 1', then: bye}], else: bye}", 22, "unknown-variable", "`x`", "known here"),
    (
        "a: {branch: [{if: 'call.anii == \"\"', then: bye}], else: bye}",
        22,
        "unknown-variable",
        "`call.anii`",
        "ani",
    ),
    ("a: {branch: [{if: '1 + 1', then: bye}], else: bye}", 21, "expression-type", "a whole number, not true", ""),
    (
        "a: {branch: [{if: '1 == \"1\"', then: bye}], else: bye}",
        24,
        "expression-type",
        "`==` does not work",
        "int(",
    ),
    ("a: {branch: [{if: 'true && (', then: bye}], else: bye}", 31, "expression-syntax", "ends too early", ""),
    ("a: {branch: [{if: true, then: bye}]}", 3, "missing-key", "`else` is missing", ""),
    ("a: {branch: [{iff: 'true', then: bye, if: 'true'}], else: bye}", 17, "unknown-key", "`iff`", "`if`"),
    ("a: {branch: [], else: bye}", 15, "out-of-range", "a list must not be empty", ""),
    ("a: {set: {x: {cell: '1'}}, next: bye}", 17, "unknown-key", "unknown key `cell`", "did you mean `cel`?"),
    ("a: {set: {x: {cel: now}}, next: bye}", 22, "expression-type", "this gives a moment, not text", ""),
    ("a: {set: {x: {cel: 'y + 1'}}, next: bye}", 23, "unknown-variable", "`y`", "known here"),
    ("a: {set: {X: 1}, next: bye}", 13, "bad-name", "`X` is no name", "small letters"),
    # hours
    (
        "a: {hours: {week: {mon-fry: '9:00-17:00'}}, open: bye, closed: bye}",
        22,
        "wrong-value",
        "`fry` is no day",
        "",
    ),
    ("a: {hours: {week: {mon: '9-17'}}, open: bye, closed: bye}", 27, "wrong-value", "`9` is no time of day", ""),
    ("a: {hours: {week: {mon: 9:30}}, open: bye, closed: bye}", 27, "wrong-value", "`9:30` is no span", ""),
    ("a: {hours: {week: {}, zone: Moon}, open: bye, closed: bye}", 31, "unknown-zone", "`Moon`", "Europe/London"),
    ("a: {hours: {week: {}, exceptions: {12-32: closed}}, open: bye, closed: bye}", 38, "wrong-value", "12-32", ""),
    ("a: {hours: {week: {}}, open: bye}", 3, "missing-key", "`closed` is missing", ""),
    # language, goto, hangup
    ("a: {language: fr, next: bye}", 17, "unknown-language", "there is no language `fr`", "known: en, es"),
    ("a: {goto: by}", 13, "unknown-node", "there is no node `by`", "did you mean `bye`?"),
    ("a: {goto: {flow: biling}}", 20, "unknown-flow", "there is no flow `biling`", "did you mean `billing`?"),
    ("a: {hangup: bussy}", 15, "unknown-choice", "`bussy` is not one of `normal`, `busy`", ""),
    # dial and voicemail
    ('a: {dial: "2001", otherwise: bye}', 13, "extension-refused", "does not allow 2001", "allowed: 0, 10XX"),
    ("a: {dial: +442079460123, otherwise: bye}", 13, "extension-refused", "does not allow +44", ""),
    ("a: {dial: {extension: 1001&PJSIP/1}, otherwise: bye}", 25, "extension-refused", "does not allow 1001&", ""),
    (
        "a: {dial: {extension_from: digits}, otherwise: bye}",
        30,
        "unknown-variable",
        "variable `digits`",
        "known: none",
    ),
    ("a: {dial: {}, otherwise: bye}", 13, "dial-one-target", "give exactly one of `extension`", ""),
    ("a: {dial: 1001, ring_s: 15s, otherwise: bye}", 27, "wrong-type", "found `15s`", "write 15 alone"),
    ("a: {dial: 1001, buzy: bye}", 19, "unknown-key", "unknown key `buzy`", "did you mean `busy`?"),
    ("a: {voicemail: sails}", 18, "unknown-voicemail-box", "voicemail box `sails`", "did you mean `sales`?"),
    ("a: {voicemail: sales, greeting: helo}", 35, "unknown-prompt", "no prompt `helo`", "did you mean `hello`?"),
]


@pytest.mark.parametrize(
    ("node", "column", "code", "message", "hint"), NODE_FAULTS, ids=[row[0] for row in NODE_FAULTS]
)
def test_a_fault_in_a_node(node: str, column: int, code: str, message: str, hint: str) -> None:
    (finding,) = faults_of_nodes(node)
    assert (finding.file, finding.line, finding.column, finding.code) == ("test.yaml", FIRST, column, code)
    assert message in finding.message
    assert hint in finding.hint


def faults_of_nodes(nodes: str) -> tuple:
    try:
        flow_of(nodes)
    except ConfigurationError as error:
        return error.findings
    return ()


FRAME = "flow: test\nlanguages: [en, es]\nprompts:\n  hello: {en: Hi, es: Hola}\nnodes:\n  bye: {hangup: normal}\n"
FRAME_FAULTS = [
    ("flow: test", "flow: Test it", 1, 7, "out-of-range", "does not fit the pattern", ""),
    ("flow: test", "flo: test", 1, 1, "unknown-key", "unknown key `flo`", "did you mean `flow`?"),
    ("flow: test", "flow: test\nflow: test", 2, 1, "duplicate-key", "here and in line 1", ""),
    ("flow: test", "flow: test\nanswer: now", 2, 9, "unknown-choice", "`now` is not one of `first_media`", ""),
    ("flow: test", "flow: test\nstart: by", 2, 8, "unknown-node", "there is no node `by`", "did you mean `bye`?"),
    ("flow: test", "flow: test\non_failure: x", 2, 13, "unknown-node", "there is no node `x`", "known: bye"),
    ("flow: test", "flow: test\non_failure: false", 2, 13, "unknown-node", "no node `false`", "known: bye"),
    ("flow: test", "flow: test\nzone: Europe/Lundon", 2, 7, "unknown-zone", "no time zone", "Europe/London"),
    ("flow: test", "flow: test\nzone: ../../etc/passwd", 2, 7, "unknown-zone", "no time zone", ""),
    ("[en, es]", "[en, english]", 2, 17, "out-of-range", "`english` does not fit", ""),
    ("[en, es]", "en", 2, 12, "wrong-type", "expected a list, found `en`", "write [a, b]"),
    ("[en, es]", "[]", 2, 12, "out-of-range", "must not be empty", ""),
    (", es: Hola", "", 4, 3, "missing-prompt", "`hello` has no text in `es`", "add `es: ...`"),
    (", es: Hola", ", es: Hola, fr: Allo", 4, 29, "unknown-language", "does not speak `fr`", "en, es"),
    ("{en: Hi, es: Hola}", "Hi", 4, 3, "missing-prompt", "`hello` has no text in `es`", ""),
    ("  hello:", "  ../hello:", 4, 3, "out-of-range", "`../hello` does not fit", ""),
    ("en: Hi", "en: ''", 4, 15, "out-of-range", "this must not be empty", ""),
    ("  bye: {hangup: normal}\n", "  {}\n", 6, 3, "out-of-range", "must not be empty", ""),
]


@pytest.mark.parametrize(("old", "new", "line", "column", "code", "message", "hint"), FRAME_FAULTS)
def test_a_fault_in_the_frame(
    old: str, new: str, line: int, column: int, code: str, message: str, hint: str
) -> None:
    assert faults_of(FRAME) == ()
    assert old in FRAME
    found = [
        finding
        for finding in faults_of_text(FRAME.replace(old, new))
        if (finding.line, finding.column, finding.code) == (line, column, code)
    ]
    assert found, faults_of_text(FRAME.replace(old, new))
    assert message in found[0].message
    assert hint in found[0].hint


def faults_of_text(text: str) -> tuple:
    try:
        return faults_of(text)
    except ConfigurationError as error:
        return error.findings


def test_a_file_that_is_no_flow_at_all() -> None:
    assert [finding.code for finding in faults_of("")] == ["missing-key"]
    assert [finding.code for finding in faults_of("- a\n- b")] == ["wrong-type"]
    assert faults_of("nodes: 5\nflow: x")[0].message == "expected a mapping (`key: value`), found the number 5"


def test_all_faults_come_at_once_in_file_order() -> None:
    text = text_of(
        """
        a: {play: helo, next: menu}
        menu: {menu: ask, keys: {1: a, 2: lost}, no_input: {tries: no}}
        b: {branch: [{if: "call.x", then: a}], else: gone}
        c: {dial: 5, otherwise: bye}
        """,
        head="on_failure: nowhere\nstrat: a",
    )
    found = [(finding.line, finding.code) for finding in faults_of(text)]
    assert found == [
        (8, "unknown-node"),
        (9, "unknown-key"),
        (11, "unknown-prompt"),
        (12, "wrong-type"),
        (13, "unknown-node"),
        (14, "extension-refused"),
    ], "conditions are checked once every node can be read, so that no variable is called unknown by mistake"


def test_secrets_cannot_be_looked_at() -> None:
    nodes = """
        a: {gather: ask, save: pin, secret: true, next: b}
        b: {branch: [{if: "size(pin) == 4 && pin == '1234'", then: c}], else: c}
        c: {say: {digits: {cel: pin}}, next: d}
        d: {set: {copy: {cel: "pin + ''"}}, next: e}
        e: {dial: {extension_from: pin}, otherwise: f}
        f: {set: {pin: "1"}, next: bye}
    """
    assert [(f.line - FIRST, f.column, f.code) for f in faults_of_nodes(nodes)] == [
        (1, 40, "secret-in-expression"),
        (2, 27, "secret-in-expression"),
        (3, 26, "secret-in-expression"),
        (4, 30, "secret-used"),
        (5, 18, "secret-overwritten"),
    ]


def test_one_variable_has_one_type() -> None:
    nodes = """
        a: {set: {n: 1}, next: b}
        b: {set: {n: "one"}, next: c}
        c: {gather: ask, save: n, next: bye}
    """
    found = [(f.line - FIRST, f.column, f.code, f.message) for f in faults_of_nodes(nodes)]
    assert found == [
        (1, 16, "variable-type", "`n` is a whole number elsewhere, and text here"),
        (2, 26, "variable-type", "`n` is a whole number elsewhere, and text here"),
    ]


def test_types_follow_through_formulas_in_any_order() -> None:
    flow = flow_of(
        """
        c: {set: {ratio: {cel: "double(total) / 2.0"}, big: {cel: "total > 5"}}, next: b}
        b: {set: {total: {cel: "count + size(digits)"}}, next: a}
        a: {set: {count: 1, note: x}, next: g}
        g: {gather: ask, save: digits, next: bye}
        """
    )
    assert flow.variables == {
        "count": "int",
        "note": "string",
        "digits": "string",
        "total": "int",
        "ratio": "double",
        "big": "bool",
    }


def test_without_settings_what_they_hold_is_not_checked() -> None:
    around = replace(AROUND, is_known=False)
    assert flow_of('a: {dial: "2001", otherwise: m}\nm: {voicemail: sails}', around=around).name == "test"


def test_a_directory_gives_all_flows_or_all_faults(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(FRAME.replace("hangup: normal", "goto: {flow: other}"))
    (tmp_path / "two.yaml").write_text(FRAME.replace("flow: test", "flow: other"))
    assert set(load_flows(tmp_path, AROUND)) == {"test", "other"}

    (tmp_path / "three.yaml").write_text("flow: [a")
    (tmp_path / "two.yaml").write_text(FRAME.replace("hangup", "hang"))
    with pytest.raises(ConfigurationError) as refused:
        load_flows(tmp_path, AROUND)
    found = [(Path(f.file).name, f.line, f.code) for f in refused.value.findings]
    assert found == [
        ("one.yaml", 6, "unknown-flow"),
        ("three.yaml", 1, "syntax"),
        ("two.yaml", 6, "unknown-verb"),
    ]


def test_two_files_with_one_flow(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(FRAME)
    (tmp_path / "twin.yaml").write_text(FRAME)
    with pytest.raises(ConfigurationError, match=r"twin.yaml:1:7: one.yaml has a flow `test` too"):
        load_flows(tmp_path, AROUND)


def test_a_revision_is_the_hash_of_what_was_written_without_comments() -> None:
    one, same, other = (flow_of(nodes).revision for nodes in (
        "a: {play: hello, next: bye}",
        "a:\n  next: bye   # a comment\n  play: hello",
        "a: {play: again, next: bye}",
    ))  # fmt: skip
    assert one == same != other
    assert len(one) == 12
    assert flow_of("a: {play: hello, next: bye}", head="start: bye").revision != one


def test_every_node_type_documents_itself() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "writing_flows.md").read_text()
    for verb, options in NODE_TYPES.items():
        assert f"`{verb}`" in docs
        for name, field in options.model_fields.items():
            assert f"`{field.alias or name}`" in docs, f"{verb}: {name}"


def test_a_faulty_formula_is_told_once_and_not_at_everything_that_names_its_variable() -> None:
    nodes = """
        a: {set: {total: {cel: "1 * 2.5"}}, next: b}
        b: {set: {twice: {cel: "total + total"}}, next: c}
        c: {branch: [{if: "twice > 3.0", then: bye}], else: bye}
        """
    found = faults_of(text_of(nodes))
    assert [one.code for one in found] == ["expression-type"], found


def test_formulas_that_only_wait_for_each_other_are_told() -> None:
    found = faults_of(text_of('a: {set: {tries: {cel: "tries + 1"}}, next: bye}'))
    assert [one.code for one in found] == ["unknown-variable"], found


def test_a_node_whose_parts_are_not_indented_says_so() -> None:
    found = faults_of(text_of("a:\nplay: hello\nnext: bye"))
    assert [one.hint for one in found if one.code == "wrong-type"] == [
        "indent what belongs to `a` further than its name",
        "`play` belongs below the name of a node, indented further",
        "`next` belongs below the name of a node, indented further",
    ]
