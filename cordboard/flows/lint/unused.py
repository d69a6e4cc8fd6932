"""What is written and never used: `unused-prompt`, `unused-variable`."""

from __future__ import annotations

from collections.abc import Iterator

from cordboard.config.findings import Finding
from cordboard.flows.lint.subject import Subject


def unused_prompts(subject: Subject) -> Iterator[Finding]:
    """Each prompt that no node plays: it would be spoken and kept for nothing."""
    played = {use.name for use in subject.uses.prompts}
    for name in subject.prompts - played:
        message = f"the prompt `{name}` is never played"
        yield subject.at(("prompts", name), "unused-prompt", message, "play it, or take it out", key=True)


def unused_variables(subject: Subject) -> Iterator[Finding]:
    """Each variable that gets values and is in no expression, prompt or request. Of results that come as a whole
    (a look-up, a script, a flow) nobody has to use everything.
    """
    used = {use.name for use in subject.uses.variables}
    used.update(*subject.spoken.values())
    told: set[str] = set()
    for node, one in subject.declared:
        is_extra = one.is_extra or one.is_customer or one.returned_by is not None
        if not is_extra and one.name not in used and one.name not in told:
            told.add(one.name)
            message = f"`{one.name}` is set and never used"
            yield subject.at(("nodes", node, *one.keys), "unused-variable", message, "use it, or take it out")
