"""A chart as text for other programs to draw: Mermaid (on GitHub, in a wiki) and Graphviz DOT."""

from __future__ import annotations

from cordboard.pictures.chart import Chart, ChartEdge, ChartNode

_MERMAID_SHAPES = {
    "start": ('(["', '"])'),
    "ask": ('["', '"]'),
    "act": ('["', '"]'),
    "decide": ('{"', '"}'),
    "end": ('(["', '"])'),
}
_DOT_SHAPES = {"start": "oval", "ask": "box", "act": "box", "decide": "diamond", "end": "oval"}


def write_mermaid(chart: Chart) -> str:
    """A `flowchart`. Names become n0, n1, …: some names are words of the language."""
    number = {node.name: f"n{index}" for index, node in enumerate(chart.nodes)}
    lines = ["flowchart TD", f"  %% {_plain(chart.name)}"]
    for node in chart.nodes:
        opening, closing = _MERMAID_SHAPES[node.look]
        lines.append(f"  {number[node.name]}{opening}{_mermaid_text(_box_text(node, '<br/>'))}{closing}")
    for edge in chart.edges:
        label = _edge_text(edge)
        arrow = f'-->|"{_mermaid_text(label)}"|' if label else "-->"
        lines.append(f"  {number[edge.source]} {arrow} {number[edge.target]}")
    never = [number[node.name] for node in chart.nodes if node.count == 0]
    if never:
        lines += ["  classDef never stroke:#cf222e,stroke-dasharray:5 4", f"  class {','.join(never)} never"]
    return "\n".join(lines) + "\n"


def write_dot(chart: Chart) -> str:
    """A `digraph`."""
    lines = [f"digraph {_quoted(chart.name)} {{", '  node [fontname="sans-serif"]; edge [fontname="sans-serif"];']
    for node in chart.nodes:
        style = ", color=red, style=dashed" if node.count == 0 else ""
        text = _quoted(_box_text(node, "\n"))
        lines.append(f"  {_quoted(node.name)} [shape={_DOT_SHAPES[node.look]}, label={text}{style}];")
    for edge in chart.edges:
        style = ", color=red, style=dashed" if edge.count == 0 else ""
        lines.append(
            f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(_edge_text(edge))}{style}];"
        )
    return "\n".join([*lines, "}"]) + "\n"


def _box_text(node: ChartNode, line_break: str) -> str:
    count = "" if node.count is None else f" ×{node.count}"
    return f"{node.name}{count}{line_break}{node.detail}"


def _edge_text(edge: ChartEdge) -> str:
    count = "" if edge.count is None else f"×{edge.count}"
    return " · ".join(word for word in (edge.label, count) if word)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _mermaid_text(text: str) -> str:
    """Mermaid takes character codes between # and ;, and nothing else as an escape."""
    kept = text.replace("<br/>", "\0").replace("#", "#35;").replace('"', "#quot;")
    kept = kept.replace("<", "#lt;").replace(">", "#gt;").replace("\n", " ")
    return kept.replace("\0", "<br/>")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
