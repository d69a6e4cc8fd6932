"""The codes of what is wrong with a file before anybody asks what it means: see `codes`."""

from __future__ import annotations

from cordboard.config.code import Code

_UTF8 = "Save the file as UTF-8 without a byte order mark; every editor has a choice for it."

FILES = {
    "syntax": Code(
        "The file is no YAML: a quote that is never closed, a tab, a text that begins with `*`, wrong indentation.",
        "The message says what stands at that place. Texts that hold `: ` or begin with a special character need "
        "quotes.",
        "keys: {*: main}",
        'keys: {"*": main}',
    ),
    "unreadable-file": Code(
        "The file is not there, or this user may not read it.",
        "Check the path and the owner of the file; `-c` names the directory of the configuration.",
    ),
    "unreadable": Code(
        "A file of the configuration cannot be opened.", "Check that it is there and that this user may read it."
    ),
    "too-big": Code("A file has more than 1 MiB.", "Split it: each flow has a file of its own."),
    "too-deep": Code(
        "Lists and mappings are nested more than 32 levels deep.", "Nothing of ours needs that: flatten it."
    ),
    "too-many-values": Code(
        "A file holds more than 40,000 values, with aliases written out. Small files can stand for very many.",
        "Split the file, or write fewer aliases.",
    ),
    "too-many-aliases": Code("More than 50 aliases (`*name`) in one file.", "Write the values out."),
    "unknown-alias": Code(
        "An alias (`*name`) without an anchor (`&name`) before it; mostly a text that begins with `*`.",
        "Put the text in quotes.",
        "end_key: *",
        'end_key: "*"',
    ),
    "merge-key": Code("`<<` would mix other mappings into this one. It is not read.", "Write the keys out."),
    "tag": Code(
        "A tag such as `!!python/object` or `!include`. Tags are never read, as they could run code.",
        "Write the value without a tag.",
    ),
    "second-document": Code(
        "A line `---` begins a second document in the same file.", "Remove it, or use two files."
    ),
    "key-not-text": Code(
        "A list or mapping stands where a key belongs.", "Put the key in quotes if a text was meant."
    ),
    "duplicate-key": Code(
        "The same key twice in one mapping. YAML would silently take the last one.",
        "Keep one of them.",
        "keys: {1: sales, 1: support}",
        "keys: {1: sales, 2: support}",
    ),
    "byte-order-mark": Code("The file begins with a byte order mark.", _UTF8),
    "not-utf-8": Code("A byte of the file is no UTF-8, as in files saved as Latin-1.", _UTF8),
    "control-character": Code(
        "A character that no text needs: a NUL, an escape, a byte order mark in the middle.",
        "Remove it; it often came with copying.",
    ),
    "missing-key": Code(
        "A key that must be there is not.",
        "Add it.",
        "greeting: {play: welcome}",
        "greeting: {play: welcome, next: main}",
    ),
    "unknown-key": Code(
        "A key that means nothing here, mostly misspelt. Nothing is ignored silently.",
        "Take the word that the hint suggests, or one of those it lists.",
        "greeting: {play: welcome, nxt: main}",
        "greeting: {play: welcome, next: main}",
    ),
    "wrong-type": Code(
        "A value of another kind: text where a number belongs, `no` where `false` belongs, one value for a list.",
        "Write it as the message says. Numbers have no unit and no quotes.",
        "sales: {queue: sales, max_wait_s: 5 minutes}",
        "sales: {queue: sales, max_wait_s: 300}",
    ),
    "wrong-value": Code("A value that cannot be, for the reason in the message.", "Write another one."),
    "out-of-range": Code(
        "A number too small or too big, a text or list too short or too long, or a name with characters it must "
        "not have.",
        "Stay within the limit that the message gives.",
        "no_input: {tries: 0}",
        "no_input: {tries: 1}",
    ),
    "unknown-choice": Code(
        "A word that is none of the choices.",
        "Take one of those listed.",
        "bye: {hangup: bussy}",
        "bye: {hangup: busy}",
    ),
    "bad-name": Code(
        "A name with characters that a name must not have, or a word with a meaning of its own in expressions.",
        "Use small letters, digits and `_`, at most 32, beginning with a letter.",
        "ask: {gather: ask, save: PIN, next: bye}",
        "ask: {gather: ask, save: pin, next: bye}",
    ),
    "duplicate-entry": Code("The same entry twice in a list.", "Keep one of them."),
}
