"""The `prompts` section of a flow: each prompt in each language the flow speaks.

Where a language has no text, that of its `fallback` is taken, in the other language's voice. What is missing then
is a finding. The texts with values in them are made ready to be spoken by `prompt_values`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cordboard.config.document import Document, Keys
from cordboard.config.findings import Finding
from cordboard.flows.speaking.choosing import Speaking
from cordboard.flows.speaking.words import WORDS
from cordboard.flows.text_parts import TextRefused, ValueAt, split_text
from cordboard.telephony.verbs import Prompt

Prompts = dict[str, dict[str, Prompt]]


def read_prompts(
    document: Document, flow: str, languages: tuple[str, ...], speaking: Speaking, findings: list[Finding]
) -> Prompts:
    """The prompts by name and language, as far as they are written well; what is missing goes to `findings`.

    A text alone is the prompt of a flow with one language. Braces in a text without values are plain here already.
    """
    findings += _frame_findings(document, flow, languages, speaking)
    section = document.data.get("prompts") if isinstance(document.data, dict) else None
    if not isinstance(section, dict):
        return {}
    prompts: Prompts = {}
    for name, written in section.items():
        texts = written if isinstance(written, dict) else {languages[0]: written} if languages else {}
        own = {
            tongue: Prompt(flow, name, tongue, _plain(document, name, tongue, str(text), findings))
            for tongue, text in texts.items()
            if tongue in languages
        }
        prompts[name] = _with_fallback(own, languages, speaking)
        findings += _findings(document, name, texts, languages, prompts[name])
    return prompts


def text_place(document: Document, name: str, language: str) -> Keys:
    """Where a prompt's text in a language is written."""
    way = ("prompts", name, language)
    return way if document.has(way) else way[:2]


def _plain(document: Document, name: str, language: str, text: str, findings: list[Finding]) -> str:
    """A text without values as it is to be spoken; one with values as it is written."""
    try:
        parts = split_text(text)
    except TextRefused as refused:
        way = text_place(document, name, language)
        place = document.place_in(way, 1, refused.offset + 1)
        findings.append(Finding(document.file, *place, "text-syntax", refused.message, refused.hint))
        return text
    if any(isinstance(part, ValueAt) for part in parts):
        return text
    return text.replace("{{", "{").replace("}}", "}")


def _with_fallback(own: Mapping[str, Prompt], languages: tuple[str, ...], speaking: Speaking) -> dict[str, Prompt]:
    """Each language's own prompt, or that of the first language which stands in for it and has one."""
    chosen = {}
    for tongue in languages:
        prompt = next((own[one] for one in speaking.languages_for(tongue) if one in own), None)
        if prompt is not None:
            chosen[tongue] = prompt
    return chosen


def _findings(
    document: Document, name: str, texts: Mapping[str, Any], languages: tuple[str, ...], found: Mapping[str, Prompt]
) -> Iterator[Finding]:
    for tongue in languages:
        if tongue not in found:
            message = f"the prompt `{name}` has no text in `{tongue}`"
            hint = f"add `{tongue}: ...`, or say in `fallback` which language stands in for `{tongue}`"
            yield document.finding(("prompts", name), "missing-prompt", message, hint, key=True)
    for tongue in texts:
        if tongue not in languages:
            yield _unknown_language(document, ("prompts", name, tongue), tongue, languages, key=True)


def _frame_findings(
    document: Document, flow: str, languages: tuple[str, ...], speaking: Speaking
) -> Iterator[Finding]:
    """What is wrong with `fallback`, and with a name that words have for themselves."""
    if flow == WORDS:
        message = f"no flow can be called `{WORDS}`: the words of spoken values are kept under that name"
        yield document.finding(("flow",), "reserved-name", message, "give the flow another name")
    for tongue, other in speaking.fallback.items():
        if tongue not in languages:
            yield _unknown_language(document, ("fallback", tongue), tongue, languages, key=True)
        elif other not in languages:
            yield _unknown_language(document, ("fallback", tongue), other, languages)
        elif tongue in speaking.languages_for(other):
            message = f"`{tongue}` would stand in for itself"
            hint = "let one of the languages have all texts of its own"
            yield document.finding(("fallback", tongue), "fallback-loop", message, hint)


def _unknown_language(
    document: Document, way: Keys, tongue: str, languages: tuple[str, ...], *, key: bool = False
) -> Finding:
    hint = f"its languages are {', '.join(languages)}"
    return document.finding(way, "unknown-language", f"the flow does not speak `{tongue}`", hint, key=key)
