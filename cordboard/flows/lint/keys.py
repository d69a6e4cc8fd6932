"""Keys of a menu that are the beginning of something else which can be keyed there: `key-overlap`.

After such a key the caller waits `inter_digit_s` until the menu goes on: it might have been the longer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject
from cordboard.telephony.dial_policy import DialPolicy


def overlapping_keys(subject: Subject) -> Iterator[Finding]:
    """Each key that begins a longer key of its menu, or an extension that can be dialled from there."""
    for node, shape in subject.shapes.items():
        keys = shape.written.get("keys")
        if shape.verb == "menu" and isinstance(keys, Mapping):
            for key in keys:
                longer = _longer(key, keys) or _extension(key, shape.written, subject.surroundings.dial_policy)
                if longer:
                    message = f"`{key}` is the beginning of {longer}: the caller waits after it"
                    yield subject.at(("nodes", node, "keys", key), "key-overlap", message, _HINT, key=True)


_HINT = "use a key that begins nothing else, or make `inter_digit_s` short"


def _longer(key: str, keys: Mapping[str, Any]) -> str:
    found = next((other for other in keys if other != key and other.startswith(key)), "")
    return f"`{found}`" if found else ""


def _extension(key: str, written: Mapping[str, Any], policy: DialPolicy) -> str:
    """That of the dial policy which may begin with the key, where callers may dial extensions."""
    direct = written.get("direct_dial")
    if not direct:
        return ""
    lengths = direct.get("lengths") if isinstance(direct, Mapping) else None
    known = {len(rule.pattern) for rule in policy.rules}
    return "an extension of `direct_dial`" if policy.goes_on(key, lengths or known) else ""
