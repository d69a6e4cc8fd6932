"""What admins write is read as they mean it, and what would hurt us is refused with a place and a reason."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.config.findings import Finding
from cordboard.config.scalars import as_written, plain_value
from cordboard.config.yaml_reader import MAX_BYTES, parse_yaml, read_yaml
from cordboard.errors import ConfigurationError


def fault_of(data: bytes) -> Finding:
    with pytest.raises(ConfigurationError) as refused:
        parse_yaml(data, "x.yaml")
    (finding,) = refused.value.findings
    return finding


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("9:30", "9:30"),
        ("17:00", "17:00"),
        ("0123", "0123"),
        ("07700900123", "07700900123"),
        ("+442079460123", "+442079460123"),
        ("+44", "+44"),
        ("no", "no"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("~", "~"),
        ("1e3", "1e3"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        (".5", ".5"),
        ("-0", "-0"),
        ("2026-11-23", "2026-11-23"),
        ("12345678901234567890", "12345678901234567890"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("0", 0),
        ("42", 42),
        ("-7", -7),
        ("1.10", 1.1),
    ],
)
def test_only_what_nobody_can_mean_otherwise_is_not_text(word: str, value: object) -> None:
    data = parse_yaml(f"a: {word}\n".encode(), "x.yaml").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value) or isinstance(value, float)


@given(st.text(alphabet="0123456789.+-eE_:xnoyesftrul", max_size=24))
def test_a_number_or_truth_value_can_always_be_read_as_the_text_it_was(word: str) -> None:
    value = plain_value(word)
    if value is not None:
        assert as_written(value) == word


def test_quoted_scalars_are_text() -> None:
    assert parse_yaml(b"""{a: "1", b: 'true', c: "null"}""", "x").data == {"a": "1", "b": "true", "c": "null"}


def test_keys_are_text_as_written() -> None:
    data = parse_yaml(b'{1: a, no: b, "*": c, 0123: d, true: e, 9:30: f, ~: g}', "x").data
    assert list(data) == ["1", "no", "*", "0123", "true", "9:30", "~"]


def test_an_empty_file_is_nothing() -> None:
    assert parse_yaml(b"", "x").data is None
    assert parse_yaml(b"# only a comment\n", "x").data is None


def test_an_alias_is_its_anchor_with_the_places_of_the_anchor() -> None:
    document = parse_yaml(b"a: &one {b: 1}\nc: *one\n", "x")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.place(("c", "b")) == (1, 13)
    assert document.place(("c",), key=True) == (2, 1)


def test_places_of_values_keys_and_list_entries() -> None:
    document = parse_yaml(b"top:\n  list:\n    - one\n    - {two: 'x y'}\n", "x")
    assert document.place(("top", "list", 0)) == (3, 7)
    assert document.place(("top", "list", 1, "two")) == (4, 13)
    assert document.place(("top", "list", 1, "two"), key=True) == (4, 8)
    assert document.place(("top", "lost", "deep")) == (2, 3), "the nearest there is"
    assert not document.has(("top", "lost"))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"a: abcdef", (1, 7)),
        (b"a: 'abcdef'", (1, 8)),
        (b'a: "abcdef"', (1, 8)),
        (b"a: 'ab''def'", (1, 4)),  # a doubled quote moves the columns: the beginning is as much as we can say
        (b"a: |\n  abcdef", (1, 4)),
    ],
)
def test_the_place_of_a_character_inside_a_text(text: bytes, place: tuple[int, int]) -> None:
    assert parse_yaml(text, "x").place_in(("a",), line=1, column=4) == place


@pytest.mark.parametrize(
    ("data", "line", "column", "code", "word"),
    [
        (b"\xef\xbb\xbfa: 1", 1, 1, "byte-order-mark", "byte order mark"),
        ("a: 1".encode("utf-16"), 1, 1, "byte-order-mark", "byte order mark"),
        ("x: 1\nname: Zoë".encode("latin-1"), 2, 9, "not-utf-8", "0xeb"),
        (b"a: 1\nb: \x00", 2, 4, "control-character", "U+0000"),
        (b'a: "x\\0y"', 1, 4, "control-character", "control character"),
        (b'a: "x\\ry"', 1, 4, "control-character", "control character"),
        (b"a:\n\tb: 1", 2, 1, "syntax", "tab"),
        (b"a: 1\n---\nb: 2", 2, 1, "second-document", "second document"),
        (b"a: !!python/object:os.system x", 1, 4, "tag", "python/object"),
        (b"a: !secret x", 1, 4, "tag", "!secret"),
        (b"<<: {a: 1}", 1, 1, "merge-key", "<<"),
        (b"a: &a [*a]", 1, 8, "unknown-alias", "*a"),
        (b"a: *b", 1, 4, "unknown-alias", "*b"),
        (b"*a : 1", 1, 1, "key-not-text", "text"),
        (b"? [a]\n: 1", 1, 3, "key-not-text", "text"),
        (b"keys: {*: a}", 1, 8, "syntax", "alias"),
        (b"a: b: c", 1, 5, "syntax", "`: `"),
        (b"a: 1\n b: 2", 2, 3, "syntax", "`: `"),
        (b"a: 'x\nb: 1", 1, 4, "syntax", "never closed"),
        (b"a: {b: 1", 1, 4, "syntax", "not closed"),
        (b"a: [1, 2", 1, 4, "syntax", "not closed"),
        (b"a: 1\nb\nc: 2", 2, 1, "syntax", "no `:`"),
        (b"a:\n  b: 1\n c: 2", 3, 2, "syntax", "belongs to nothing"),
        (b"a: @x", 1, 4, "syntax", "cannot begin"),
        (b"a: " + b"[" * 40, 1, 35, "too-deep", "32"),
        (b"[" * 200_000, 1, 33, "too-deep", "32"),
        (b"{a: " * 100_000, 1, 129, "too-deep", "32"),
        (b"- " * 100_000, 1, 65, "too-deep", "32"),
        (b"a: &a [[[[[[[[[[1]]]]]]]]]]\nb: " + b"[" * 25 + b"*a" + b"]" * 25, 2, 29, "too-deep", "this alias"),
        (b"[" + b"1," * 60_000 + b"]", 1, 80_002, "too-many-values", "40000"),
        (b"a: &a 1\nb: [" + b"*a," * 60 + b"]", 2, 155, "too-many-aliases", "50"),
        (b" " * (MAX_BYTES + 1), 1, 1, "too-big", str(MAX_BYTES)),
    ],
)
def test_one_clear_finding(data: bytes, line: int, column: int, code: str, word: str) -> None:
    finding = fault_of(data)
    assert (finding.line, finding.column, finding.code) == (line, column, code)
    assert word in finding.message


def test_each_duplicate_key_is_named_with_both_lines() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_yaml(b"keys:\n  1: sales\n  2: help\n  1: other\nkeys: {}\n", "x.yaml")
    inner, outer = refused.value.findings
    assert (inner.line, inner.column, inner.code) == (4, 3, "duplicate-key")
    assert "`1` is written twice: here and in line 2" in inner.message
    assert (outer.line, outer.message) == (5, "`keys` is written twice: here and in line 1")


def test_what_somebody_wrote_is_shown_as_far_as_a_person_would_read_it() -> None:
    for text in ("a: !%s x", "%s: 1\n%s: 2", "a: *%s", "*%s : 1"):
        finding = fault_of((text.replace("%s", "x" * 900)).encode())
        assert len(str(finding)) < 300


def test_the_first_hundred_duplicate_keys_are_told() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_yaml(b"k: 1\n" * 1_000, "x.yaml")
    assert len(refused.value.findings) == 100


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"flow.yaml:1:1: cannot read the file: No such file"):
        read_yaml(tmp_path / "flow.yaml", shown_as="flow.yaml")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_document_or_findings(data: bytes) -> None:
    try:
        parse_yaml(data, "x")
    except ConfigurationError as error:
        assert error.findings
        assert all(finding.line >= 1 and finding.column >= 1 for finding in error.findings)


YAML_BITS = st.sampled_from(
    [
        "a: ",
        "- ",
        "\n",
        "  ",
        "&x ",
        "*x",
        "{",
        "}",
        "[",
        "]",
        ",",
        "'",
        '"',
        "|\n",
        "? ",
        ": ",
        "#",
        "!t ",
        "b",
        "1",
        "\t",
    ]
)


@given(st.lists(YAML_BITS, max_size=40).map("".join))
def test_any_yaml_like_text_gives_a_document_or_findings(text: str) -> None:
    try:
        parse_yaml(text.encode(), "x")
    except ConfigurationError as error:
        assert error.findings


ALIAS_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 5)}]\n" for level in range(1, 10)
)
HOSTILE = {
    "alias bomb": (ALIAS_BOMB.encode(), "too-many-values"),
    "200,000 brackets": (b"[" * 200_000, "too-deep"),
    "200,000 braces": (b"{a: " * 200_000, "too-deep"),
    "200,000 dashes": (b"- " * 200_000, "too-deep"),
    "python object": (b"a: !!python/object/apply:os.system ['id']", "tag"),
    "python objects": (b"- !!python/object/new:os.system [id]\n" * 25_000, "tag"),
    "10 MB": (b"a: " + b"x" * 10_000_000, "too-big"),
    "a million values": (b"[" + b"1," * 520_000, "too-many-values"),
    "140,000 keys": (b"".join(b"%d:\n" % number for number in range(140_000)), "too-many-values"),
    "150,000 times one key": (b"k: 1\n" * 150_000, "duplicate-key"),
    "10,000 keys twice": (b"".join(b"%d:\n" % number for number in range(10_000)) * 2, "duplicate-key"),
    "one long key": (b"k" * 1_000_000 + b": 1", "syntax"),
    "one long tag": (b"a: !" + b"t" * 1_000_000 + b" 1", "tag"),
    "anchors": (b"".join(b"- &a%d x\n" % number for number in range(80_000)), "too-many-values"),
    "escapes": (b'a: "' + b"\\u00e9" * 170_000 + b'"', "read"),
    "tabs": (b"a:\n" + b"\t" * 1_000_000 + b"b: 1", "syntax"),
    "byte order mark": (b"\xef\xbb\xbf" + b"a: 1\n" * 200_000, "byte-order-mark"),
    "UTF-16": (("a: 1\n" * 100_000).encode("utf-16"), "byte-order-mark"),
    "latin-1": (b"# a\n" * 200_000 + "name: Zo\xeb".encode("latin-1"), "not-utf-8"),
    "control character": (b"# a\n" * 200_000 + b"\x00", "control-character"),
    "documents": (b"---\n" * 200_000, "second-document"),
    "a quote left open": (b"a: '" + b"x\n" * 500_000, "syntax"),
}
MEASURE = """
import resource, sys, time
from pathlib import Path
from cordboard.config.yaml_reader import read_yaml
from cordboard.errors import ConfigurationError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
try:
    read_yaml(Path(sys.argv[1]))
    code = "read"
except ConfigurationError as error:
    code = error.findings[0].code
taken_ms = (time.process_time() - began) * 1000
print(code, taken_ms, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


TRIES = 5  # what others on the machine take from one of them, they do not take from all


def cost_of(path: Path) -> tuple[str, float, float]:
    """What reading came to, in a process of its own: the finding's code, milliseconds of the CPU, megabytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (10, 10)),
    )
    assert done.returncode == 0, done.stderr
    code, taken_ms, grown_mb = done.stdout.split()
    return code, float(taken_ms), float(grown_mb)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little_time_and_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    content, wanted = HOSTILE[name]
    path.write_bytes(content)
    for _ in range(TRIES):
        code, taken_ms, grown_mb = cost_of(path)
        assert code == wanted
        if taken_ms <= 200 and grown_mb <= 50:
            return
    pytest.fail(f"{taken_ms:.0f} ms, {grown_mb:.0f} MB")
