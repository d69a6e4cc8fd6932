"""Commands byte for byte; whatever text is in one, it is refused or stays one command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.errors import SwitchProtocolError
from esl_apps import commands
from tests.doubles.fuzzing import examples


def commands_in(data: bytes) -> list[dict[str, str]]:
    """What FreeSWITCH would read: commands, each with its first line as "" and its headers."""
    *parts, rest = data.decode().replace("\r", "\n").split("\n\n")
    assert rest == ""
    found = []
    for part in parts:
        first, *lines = part.split("\n")
        found.append(
            {"": first} | {name: value.lstrip(" ") for name, _, value in (one.partition(":") for one in lines)}
        )
    return found


def variables_in(text: str) -> dict[str, str]:
    """A list of variables as FreeSWITCH splits it at `;`: backslashes escape, quotes quote, end blanks go."""
    items, item, quoted, at = [], "", False, 0
    while at < len(text):
        one = text[at]
        if one == "\\" and at + 1 < len(text):
            item += text[at : at + 2]
            at += 1
        elif one == "'" and (quoted or "'" in text[at + 1 :]):
            quoted = not quoted
        elif one == ";" and not quoted:
            items.append(item)
            item = ""
        else:
            item += one
        at += 1
    return dict(_pair(one) for one in [*items, item])


def _pair(item: str) -> tuple[str, str]:
    known = {"\\": "\\", "'": "'", ";": ";", '"': '"', "n": "\n", "r": "\r", "t": "\t", "s": "\0"}
    bare = re.sub(r"\\(.)", lambda found: known.get(found[1], found[0]), item.strip(" "), flags=re.DOTALL)
    name, _, value = bare.partition("=")
    return name, value.replace("\0", " ")


BYTES = [
    (commands.CONNECT, b"connect\n\n"),
    (commands.EXIT, b"exit\n\n"),
    (commands.auth("s3cret"), b"auth s3cret\n\n"),
    (commands.linger(5), b"linger 5\n\n"),
    (commands.listen(["DTMF", "CHANNEL_HANGUP"]), b"event plain DTMF CHANNEL_HANGUP\n\n"),
    (commands.listen(["CUSTOM sofia::register", "DTMF"]), b"event plain DTMF CUSTOM sofia::register\n\n"),
    (commands.only("Unique-ID", "abc"), b"filter Unique-ID abc\n\n"),
    (commands.api("uuid_exists abc"), b"api uuid_exists abc\n\n"),
    (commands.background("originate x y", "j-1"), b"bgapi originate x y\nJob-UUID: j-1\n\n"),
    (
        commands.execute("playback", "tone_stream://%(100,0,600)", "e-1"),
        b"sendmsg\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: e-1\n"
        b"execute-app-arg: tone_stream://%(100,0,600)\n\n",
    ),
    (
        commands.execute("answer", "", "e-1"),
        b"sendmsg\ncall-command: execute\nexecute-app-name: answer\nEvent-UUID: e-1\n\n",
    ),
    (commands.multi_set("abc", {"a": "1", "b": "x;y"}).encode(), b"uuid_setvar_multi abc a=1;b=x\\;y"),
    (commands.variables({"a": "1", "b": "two words"}).encode(), b"{a=1,b=two\\swords}"),
    (commands.leg_variables({"a": "1"}).encode(), b"[a=1]"),
    (commands.variables({}).encode(), b""),
]


@pytest.mark.parametrize(("line", "expected"), BYTES)
def test_a_command_is_these_bytes(line: bytes, expected: bytes) -> None:
    assert line == expected


UNFIT = ["a\nb", "a\rb", "a\0b", "a\n\napi system id", "\ud800", "x" * (commands.LINE_MAX_BYTES + 1)]


@pytest.mark.parametrize("text", UNFIT)
def test_what_is_not_one_line_is_refused(text: str) -> None:
    for build in (
        lambda: commands.auth(text),
        lambda: commands.api(text),
        lambda: commands.background(text, "j"),
        lambda: commands.background("status", text),
        lambda: commands.execute("playback", text, "e"),
        lambda: commands.execute(text, "", "e"),
        lambda: commands.only("Unique-ID", text),
        lambda: commands.listen([text]),
        lambda: commands.multi_set("abc", {"a": text}),
        lambda: commands.multi_set("abc", {text: "a"}),
        lambda: commands.multi_set(text, {"a": "a"}),
        lambda: commands.variables({"a": text}),
        lambda: commands.api_words("uuid_kill", text),
    ):
        with pytest.raises(SwitchProtocolError):
            build()


@pytest.mark.parametrize("text", ["${system(id)}", "$${domain}", "a$\\{b}", "x ${strftime(%Y)} y", "$\\\\{x}"])
def test_what_freeswitch_would_expand_is_refused(text: str) -> None:
    for build in (
        lambda: commands.execute("playback", text, "e"),
        lambda: commands.api(text),
        lambda: commands.background(text, "j"),
        lambda: commands.multi_set("abc", {"a": text}),
        lambda: commands.variables({"a": text}),
        lambda: commands.word(text),
    ):
        with pytest.raises(SwitchProtocolError):
            build()


def test_an_argument_of_ours_may_refer_to_a_variable() -> None:
    (one,) = commands_in(commands.execute("bridge", "${cordboard_dial}", "e", expands=True))
    assert one["execute-app-arg"] == "${cordboard_dial}"


@pytest.mark.parametrize("text", ["", "a b", "a\tb", "it's", 'a"b', "a\\b"])
def test_a_word_that_is_none_or_two_is_refused(text: str) -> None:
    with pytest.raises(SwitchProtocolError):
        commands.api_words("uuid_kill", text)


@pytest.mark.parametrize(
    "text", ["a,b", "it's", "a{b", "a}b", "a[b]", "a|b", "a^b", "(x)", "a;b", "<x>", 'a"b', "a$b"]
)
def test_a_dial_string_takes_no_character_that_has_a_meaning_in_it(text: str) -> None:
    with pytest.raises(SwitchProtocolError):
        commands.variables({"a": text})


@pytest.mark.parametrize("count", [0, commands.SET_MAX + 1])
def test_no_more_variables_than_freeswitch_takes(count: int) -> None:
    with pytest.raises(SwitchProtocolError):
        commands.multi_set("abc", {f"v{number}": "x" for number in range(count)})


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("-ERR USER_BUSY", "USER_BUSY"),
        ("-ERR No such channel!\n", "No such channel!"),
        ("-USAGE: <uuid>", "<uuid>"),
    ],
)
def test_a_refusal_says_why(answer: str, why: str) -> None:
    assert commands.refusal(answer) == why


@pytest.mark.parametrize("answer", ["+OK", "true", "", "+OK -ERR", "_undef_"])
def test_anything_else_is_no_refusal(answer: str) -> None:
    assert commands.refusal(answer) is None


HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("\r\n\0:${}[],;|'\"\\ ="), st.characters(codec="utf-8")), max_size=80
)


@pytest.mark.fuzz
@examples(0.15)
@given(argument=HOSTILE)
def test_any_argument_is_refused_or_is_one_command(argument: str) -> None:
    try:
        line = commands.execute("playback", argument, "e-1")
    except SwitchProtocolError:
        assert re.search(r"[\r\n\0]|\$\\*\{", argument)
        return
    (one,) = commands_in(line)
    assert one[""] == "sendmsg"
    assert list(one) == [
        "",
        "call-command",
        "execute-app-name",
        "Event-UUID",
        *(["execute-app-arg"] * bool(argument)),
    ]
    assert not argument or one["execute-app-arg"] == argument.lstrip(" ")


@pytest.mark.fuzz
@examples(0.12)
@given(first=HOSTILE, second=HOSTILE)
def test_any_value_is_refused_or_arrives_as_it_is(first: str, second: str) -> None:
    try:
        command = commands.multi_set("abc", {"a": first, "b": second})
    except SwitchProtocolError:
        assert re.search(r"[\r\n\0]|\$\\*\{", first + "\x01" + second)
        return
    assert variables_in(command.removeprefix("uuid_setvar_multi abc ")) == {"a": first, "b": second}
