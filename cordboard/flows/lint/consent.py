"""Recordings of a call that may begin before the caller has been told anything: `record-before-consent`.

A node that announces the recording itself is sound. One with `consent: given_before` relies on what was said on the
way: where a way has not said a word, nobody can have been told. A flow that others call is left alone, as they may
have said it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject


def recorded_before_consent(subject: Subject) -> Iterator[Finding]:
    """Each node that relies on an announcement, where some way from the start has said nothing."""
    relying = [name for name, shape in subject.shapes.items() if shape.written.get("consent") == "given_before"]
    if not relying or subject.is_callable:
        return
    speaking = {use.node for use in subject.uses.prompts}
    silent = subject.graph.reached_from([subject.start], through=lambda node: node not in speaking)
    for node in relying:
        if node in silent:
            way = subject.graph.path(subject.start, node, lambda one, _: one in speaking)
            message = f"nothing has been said on the way {' → '.join(way)}: nobody can know of the recording"
            hint = "name the prompt that tells of it: `consent: this_call_is_recorded`"
            yield subject.at(("nodes", node, "consent"), "record-before-consent", message, hint)
