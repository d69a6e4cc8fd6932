"""Which extensions and numbers a flow may dial, and what rings then. Nothing else can be dialled.

Made when settings are loaded; asked by the flow loader for what is written in a flow, and by the nodes `dial` and
`transfer` for digits a caller typed. A device string is never put together from a caller's digits outside this file
and `outside_numbers`, and holds no character with a meaning in the dialplan (`&` would ring a second device, `,`
begins Dial's options).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cordboard.telephony.verbs import Extension, OutsideNumber

if TYPE_CHECKING:
    from cordboard.telephony.outside_numbers import OutsidePolicy

EXTENSION = re.compile(r"[0-9*#]{1,16}")
# "user%domain" is how FreeSWITCH names a phone that is registered.
DEVICE = re.compile(r"sofia(?:/[A-Za-z0-9_.-]+){1,2}/[A-Za-z0-9_.@%-]+|[A-Za-z0-9]+/[A-Za-z0-9_.@-]+")

# What each character of a pattern stands for: Asterisk's own letters, so that they mean what admins expect.
_CLASSES = {"X": "0123456789", "Z": "123456789", "N": "23456789"} | {key: key for key in "0123456789*#"}
PLACEHOLDER = "{extension}"

NumberType = Literal[
    "fixed", "mobile", "toll_free", "company", "voip", "personal", "pager", "shared_cost", "premium"
]
USUAL_TYPES: tuple[NumberType, ...] = ("fixed", "mobile", "toll_free")  # what costs what people expect


@dataclass(frozen=True, slots=True)
class DialRule:
    """Extensions that fit `pattern` ring `device`, in which `{extension}` stands for what was dialled."""

    pattern: str
    device: str

    @property
    def breadth(self) -> tuple[int, tuple[int, ...]]:
        """How many extensions it fits, then position by position: the smaller rule is the more specific one."""
        sizes = tuple(len(_CLASSES[character]) for character in self.pattern)
        total = 1
        for size in sizes:
            total *= size
        return total, sizes

    def fits(self, extension: str) -> bool:
        """Whether an extension is one of the pattern's."""
        return len(extension) == len(self.pattern) and all(
            digit in _CLASSES[character] for digit, character in zip(extension, self.pattern, strict=True)
        )

    def may_begin_with(self, digits: str) -> bool:
        """Whether extensions of the pattern begin with these digits and go on behind them."""
        return len(digits) < len(self.pattern) and all(
            digit in _CLASSES[character] for digit, character in zip(digits, self.pattern, strict=False)
        )

    def target(self, extension: str) -> Extension:
        """The extension with the device it rings."""
        return Extension(extension, self.device.replace(PLACEHOLDER, extension))


class BadDialRule(ValueError):
    """A rule that cannot be. hint: what to write; in_pattern: it is the pattern's fault, not the device's."""

    def __init__(self, message: str, hint: str, *, in_pattern: bool = False) -> None:
        self.message = message
        self.hint = hint
        self.in_pattern = in_pattern
        super().__init__(f"{message}; {hint}")


class BadOutside(ValueError):
    """Something in the section on outside numbers that cannot be. keys: where in it; hint: what to write."""

    def __init__(self, keys: tuple[str | int, ...], message: str, hint: str) -> None:
        self.keys = keys
        self.message = message
        self.hint = hint
        super().__init__(f"{message}; {hint}")


def parse_rule(pattern: str, device: str) -> DialRule:
    """A rule from what an admin wrote. Raises BadDialRule.

    pattern: digits, `*` and `#` stand for themselves, X for 0-9, Z for 1-9, N for 2-9; 1 to 16 characters.
    device:  "PJSIP/{extension}" or "PJSIP/front-desk".
    """
    unknown = sorted(set(pattern) - set(_CLASSES))
    if unknown:
        hint = "a pattern has digits, * and #, X (0-9), Z (1-9) and N (2-9)"
        raise BadDialRule(f"`{unknown[0]}` in `{pattern}` is no digit of an extension", hint, in_pattern=True)
    if not 1 <= len(pattern) <= 16:
        message = f"the pattern `{pattern}` must have 1 to 16 characters"
        raise BadDialRule(message, "write one rule for each length", in_pattern=True)
    if not DEVICE.fullmatch(device.replace(PLACEHOLDER, "1")):
        raise BadDialRule(f"`{device}` is no device", f"write for instance PJSIP/{PLACEHOLDER} or PJSIP/front-desk")
    if PLACEHOLDER in device and set(pattern) & {"*", "#"}:
        message = f"`{pattern}` has * or #, which no device name may hold"
        raise BadDialRule(message, "write the device out, for instance PJSIP/front-desk")
    return DialRule(pattern, device)


@dataclass(frozen=True, slots=True)
class DialPolicy:
    """All rules for extensions, the most specific first, and the policy for numbers of the telephone network; None
    allows none of them. An empty policy lets nothing be dialled.
    """

    rules: tuple[DialRule, ...] = ()
    outside: OutsidePolicy | None = None
    _literal: Mapping[str, DialRule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.rules, key=lambda rule: (rule.breadth, rule.pattern)))
        object.__setattr__(self, "rules", ordered)
        object.__setattr__(self, "_literal", {rule.pattern: rule for rule in reversed(ordered)})

    @classmethod
    def of(cls, devices: Mapping[str, str], outside: OutsidePolicy | None = None) -> DialPolicy:
        """The policy of a mapping from pattern to device. Raises BadDialRule for the first bad rule."""
        return cls(tuple(parse_rule(pattern, device) for pattern, device in devices.items()), outside)

    def resolve(self, extension: str) -> Extension | None:
        """What an extension rings; None if it is no extension or no rule allows it."""
        if not EXTENSION.fullmatch(extension):
            return None
        rule = self._literal.get(extension) or self._first(self.rules, extension)
        return rule.target(extension) if rule else None

    def goes_on(self, digits: str, lengths: Collection[int]) -> bool:
        """Whether an extension of one of these lengths begins with these digits and has more."""
        return any(len(rule.pattern) in lengths and rule.may_begin_with(digits) for rule in self.rules)

    def resolve_number(self, text: str) -> OutsideNumber | None:
        """What a number of the telephone network rings; None if it is none, or not allowed."""
        return self.outside.resolve(text) if self.outside else None

    @staticmethod
    def _first(rules: Iterable[DialRule], extension: str) -> DialRule | None:
        return next((rule for rule in rules if rule.fits(extension)), None)
