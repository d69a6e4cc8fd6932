"""The `prompts` section of a flow: each prompt in each language the flow speaks."""

from __future__ import annotations

from typing import Any

from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.telephony.verbs import Prompt

Prompts = dict[str, dict[str, Prompt]]


def read_prompts(document: Document, flow: str, languages: tuple[str, ...], findings: list[Finding]) -> Prompts:
    """The prompts by name and language, as far as they are written well; what is missing goes to `findings`.

    A text alone is the prompt of a flow with one language.
    """
    section = document.data.get("prompts") if isinstance(document.data, dict) else None
    if not isinstance(section, dict):
        return {}
    prompts: Prompts = {}
    for name, written in section.items():
        texts = written if isinstance(written, dict) else {languages[0]: written} if languages else {}
        prompts[name] = {
            tongue: Prompt(flow, name, tongue, str(text)) for tongue, text in texts.items() if tongue in languages
        }
        findings += _findings(document, name, texts, languages)
    return prompts


def _findings(document: Document, name: str, texts: dict[str, Any], languages: tuple[str, ...]) -> list[Finding]:
    findings = [
        document.finding(
            ("prompts", name),
            "missing-prompt",
            f"the prompt `{name}` has no text in `{tongue}`",
            f"add `{tongue}: ...`, or take `{tongue}` out of `languages`",
            key=True,
        )
        for tongue in languages
        if tongue not in texts
    ]
    for tongue in texts:
        if tongue not in languages:
            message = f"the flow does not speak `{tongue}`"
            hint = f"its languages are {', '.join(languages)}"
            findings.append(
                document.finding(("prompts", name, tongue), "unknown-language", message, hint, key=True)
            )
    return findings
