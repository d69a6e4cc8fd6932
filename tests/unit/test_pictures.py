"""Flows as pictures: what stands in them, that nothing covers anything, and that no text can break the format."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from cordboard.pictures.chart import Chart, ChartEdge, ChartNode, chart_of
from cordboard.pictures.layout import BOX_GAP, lay_out
from cordboard.pictures.svg import draw_svg
from cordboard.pictures.text_graphs import write_dot, write_mermaid
from tests.doubles.flow_kit import flow_of

SVG = "{http://www.w3.org/2000/svg}"
FLOW = """
menu:
  menu: hello
  keys: {1: sales, 2: route, "*": menu}
  no_input: {then: sales}
route: {branch: [{if: "call.language == 'es'", then: sales}], else: bye}
sales: {queue: sales, otherwise: sorry, next: bye}
sorry: {play: sorry, next: bye}
"""


def chart(counts: dict[tuple[str, str], int] | None = None) -> Chart:
    return chart_of(flow_of(FLOW, head="on_failure: sorry\nstart: menu"), counts)


def test_a_chart_tells_the_ways_in_words() -> None:
    found = {(edge.source, edge.target): edge.label for edge in chart().edges}
    assert found == {
        ("menu", "sales"): "1, no input",
        ("menu", "route"): "2",
        ("menu", "menu"): "*",
        ("route", "sales"): "call.language == 'es'",
        ("route", "bye"): "else",
        ("sales", "sorry"): "otherwise",
        ("sales", "bye"): "",
        ("sorry", "bye"): "",
    }


def test_a_box_says_what_it_does_and_how_calls_come_there_without_an_arrow() -> None:
    boxes = {node.name: node for node in chart().nodes}
    assert (boxes["menu"].detail, boxes["menu"].look) == ("menu: hello", "start")
    assert boxes["sorry"].detail == "on failure · play: sorry"
    assert boxes["route"].look == "decide"
    assert boxes["bye"].look == "end"
    assert next(iter(boxes)) == "menu"


def test_counts_are_added_up_by_arrow_and_by_box() -> None:
    counted = chart(
        {("menu", "keys.1"): 3, ("menu", "no_input.then"): 2, ("sales", "otherwise"): 1, ("bye", ""): 4}
    )
    assert {node.name: node.count for node in counted.nodes} == {
        "menu": 5, "route": 0, "sales": 1, "sorry": 0, "bye": 4,
    }  # fmt: skip
    by_arrow = {(edge.source, edge.target): edge.count for edge in counted.edges}
    assert by_arrow["menu", "sales"] == 5
    assert by_arrow["route", "bye"] == 0
    assert all(node.count is None for node in chart().nodes)


def test_the_svg_marks_what_no_call_has_taken() -> None:
    root = ElementTree.fromstring(draw_svg(chart({("menu", "keys.1"): 3})))
    never = [one for one in root.iter(f"{SVG}rect") if "never" in one.get("class", "")]
    assert len(never) == 4
    assert any(one.text == "×3" or (one.text or "").endswith("×3") for one in root.iter(f"{SVG}text"))


NAMES = st.integers(1, 24).map(lambda count: [f"n{number}" for number in range(count)])


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    names = draw(NAMES)
    pairs = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), unique=True, max_size=60))
    nodes = tuple(ChartNode(name, "play", "x" * draw(st.integers(0, 30)), "act") for name in names)
    return Chart("any", nodes, tuple(ChartEdge(source, target, "1") for source, target in pairs))


@given(charts())
def test_no_box_covers_another_and_each_arrow_meets_its_boxes(drawn: Chart) -> None:
    layout = lay_out(drawn)
    assert layout.boxes.keys() == {node.name for node in drawn.nodes}
    for one, other in combinations(layout.boxes.values(), 2):
        is_beside = abs(one.x - other.x) >= (one.width + other.width) / 2 + BOX_GAP - 0.01
        assert is_beside or one.y != other.y
    for arrow in layout.arrows:
        for name, (x, y) in ((arrow.edge.source, arrow.points[0]), (arrow.edge.target, arrow.points[-1])):
            box = layout.boxes[name]
            assert abs(x - box.x) <= box.width / 2 + 0.01
            assert abs(y - box.y) <= box.height / 2 + 0.01
    assert all(
        box.x - box.width / 2 + 0.01 >= 0 and box.x + box.width / 2 <= layout.width for box in layout.boxes.values()
    )


@given(charts())
def test_arrows_lead_down_but_those_that_close_a_loop(drawn: Chart) -> None:
    layout = lay_out(drawn)
    for arrow in layout.arrows:
        if arrow.edge.source != arrow.edge.target:
            goes_up = layout.boxes[arrow.edge.target].y < layout.boxes[arrow.edge.source].y
            assert goes_up == arrow.is_back


HOSTILE = st.text(alphabet="ab\"<>&#;|\\\n{}[]%'`-", max_size=20)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_breaks_out_of_a_format(detail: str, label: str, name: str) -> None:
    nodes = (ChartNode("end", "play", detail, "start"), ChartNode("b", "play", "", "end"))
    drawn = Chart(name, nodes, (ChartEdge("end", "b", label),))
    root = ElementTree.fromstring(draw_svg(drawn))
    assert len([*root.iter(f"{SVG}rect")]) == 3
    mermaid = write_mermaid(drawn).splitlines()
    assert len(mermaid) == 5
    assert re.fullmatch(r'  n0\(\["[^"]*"\]\)', mermaid[2])
    assert re.fullmatch(r'  n0 -->(\|"[^"]*"\|)? n1', mermaid[4])
    dot = write_dot(drawn).splitlines()
    assert len(dot) == 6
    assert re.fullmatch(r'  "end" -> "b" \[label="([^"\\]|\\.)*"\];', dot[4])


def test_a_hundred_nodes_are_laid_out_without_a_tangle() -> None:
    ways = "\n".join(f"n{n}: {{menu: hello, keys: {{1: n{n + 1}, 2: n{min(n + 7, 99)}}}}}" for n in range(99))
    layout = lay_out(chart_of(flow_of(f"{ways}\nn99: {{goto: bye}}")))
    assert len(layout.boxes) == 101
    assert layout.width < 4_000
