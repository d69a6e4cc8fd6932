"""All rules, by what must be known of a flow before they can judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cordboard.config.findings import Finding
from cordboard.flows.lint.assignment import used_before_set
from cordboard.flows.lint.comments import commented_keys
from cordboard.flows.lint.consent import recorded_before_consent
from cordboard.flows.lint.constants import constant_conditions, repeated_conditions
from cordboard.flows.lint.dead_ends import dead_ends, failing_on_failure
from cordboard.flows.lint.hangups import asking_after_hangup
from cordboard.flows.lint.keys import overlapping_keys
from cordboard.flows.lint.loops import loops
from cordboard.flows.lint.numbers import lost_zeros
from cordboard.flows.lint.reach import unreachable_nodes
from cordboard.flows.lint.subject import Subject
from cordboard.flows.lint.switches import lacking_switches, unspoken_languages
from cordboard.flows.lint.unused import unused_prompts, unused_variables

Rule = Callable[[Subject], Iterator[Finding]]

OF_LINES: tuple[Rule, ...] = (
    commented_keys,
    constant_conditions,
    lacking_switches,
    lost_zeros,
    overlapping_keys,
    repeated_conditions,
    unspoken_languages,
)
"""Rules that look at one place at a time, and so at faulty flows too."""

OF_WAYS: tuple[Rule, ...] = (
    asking_after_hangup,
    dead_ends,
    failing_on_failure,
    loops,
    recorded_before_consent,
    unreachable_nodes,
)
"""Rules that follow the ways between nodes: a node missing would make them see ghosts."""

OF_VARIABLES: tuple[Rule, ...] = (unused_prompts, unused_variables, used_before_set)
"""Rules that follow what is used as well."""


def check(subject: Subject) -> list[Finding]:
    """All findings of all rules that can judge the flow."""
    rules = OF_LINES
    if subject.is_whole:
        rules += OF_WAYS
        if subject.is_known:
            rules += OF_VARIABLES
    return [finding for rule in rules for finding in rule(subject)]
