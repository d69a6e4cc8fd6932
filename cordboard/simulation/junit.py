"""The results of flow tests as JUnit's XML, which every continuous integration reads."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from cordboard.redaction import clean
from cordboard.simulation.suite import Failure, Played


def junit_xml(played: Sequence[Played]) -> str:
    """One test suite for each flow."""
    root = ElementTree.Element("testsuites", name="cordboard")
    for flow in dict.fromkeys(one.test.flow.name for one in played):
        of_flow = [one for one in played if one.test.flow.name == flow]
        failed = sum(1 for one in of_flow if not one.passed)
        suite = ElementTree.SubElement(
            root, "testsuite", name=flow, tests=str(len(of_flow)), failures=str(failed), errors="0", skipped="0"
        )
        for one in of_flow:
            _add_case(suite, one)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ElementTree.Element, played: Played) -> None:
    file, _, line = played.test.place.rpartition(":")
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=played.test.flow.name,
        name=clean(played.test.name),
        file=file,
        line=line,
        time="0",
    )
    if played.failures:
        told = "\n".join(_told(one) for one in played.failures) + f"\npath: {' -> '.join(played.path)}"
        first = played.failures[0]
        message = clean(f"expected {first.expected}; instead {first.instead}")
        ElementTree.SubElement(case, "failure", message=message, type="expectation").text = told


def _told(failure: Failure) -> str:
    lines = [f"{failure.place}: {failure.what}", f"expected: {failure.expected}", f"instead: {failure.instead}"]
    return "\n".join(map(clean, lines))
