"""A chart as one SVG file: no script, no font of its own, readable in light and dark, every text escaped."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from cordboard.pictures.chart import Chart, ChartNode
from cordboard.pictures.layout import Arrow, Box, Layout, Point, lay_out

MARGIN = 24
TITLE = 34

_STYLE = """
.page{fill:#fff}
text{font:12px system-ui,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;fill:#1b1f24}
.title{font-size:16px;font-weight:600}
.name{font-weight:600;font-size:13px}
.detail,.label{fill:#57606a;font-size:11px}
.label{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
rect.box{stroke:#8c959f;stroke-width:1.2;fill:#f6f8fa}
rect.start{stroke:#1a7f37;stroke-width:2.4}
rect.ask{fill:#ddf4ff;stroke:#0969da}
rect.decide{fill:#fff8c5;stroke:#9a6700}
rect.end{fill:#eaeef2;stroke:#57606a}
rect.never{stroke-dasharray:5 4;fill:#ffebe9;stroke:#cf222e}
path{fill:none;stroke:#6e7781;stroke-width:1.4}
path.back{stroke:#8250df;stroke-dasharray:6 3}
path.never{stroke:#cf222e;stroke-dasharray:2 4}
path.tip{fill:#6e7781;stroke:none}
.count{font-size:11px;font-weight:600;fill:#0550ae}
text.never{fill:#cf222e}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}
text{fill:#e6edf3}
.detail,.label{fill:#9da7b1}
.label{stroke:#0d1117}
rect.box{fill:#161b22;stroke:#6e7681}
rect.start{stroke:#3fb950}
rect.ask{fill:#0c2d4a;stroke:#4493f8}
rect.decide{fill:#3a2d00;stroke:#d29922}
rect.end{fill:#21262d;stroke:#8b949e}
rect.never{fill:#3c1414;stroke:#f85149}
path{stroke:#8b949e}
path.tip{fill:#8b949e}
path.back{stroke:#ab7df8}
path.never{stroke:#f85149}
.count{fill:#79c0ff}
text.never{fill:#f85149}
}
"""


def draw_svg(chart: Chart) -> str:
    """The picture, at its natural size; a browser may scale it."""
    layout = lay_out(chart)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN + TITLE
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
        f' height="{height:.0f}" role="img" aria-label={quoteattr("flow " + chart.name)}>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        '<rect class="page" width="100%" height="100%"/>',
        f'<text class="title" x="{MARGIN}" y="{MARGIN + 6}">{escape(chart.name)}</text>',
        f'<g transform="translate({MARGIN} {MARGIN + TITLE})">',
        *(_path(arrow) for arrow in layout.arrows),
        *(_box(node, layout.boxes[node.name]) for node in chart.nodes),
        *_labels(layout),
        "</g></svg>",
    ]
    return "\n".join(body) + "\n"


def _box(node: ChartNode, box: Box) -> str:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    never = " never" if node.count == 0 else ""
    count = ""
    if node.count is not None:
        count = _text(f"count{never}", left + box.width, top - 4, str(node.count), "end")
    return (
        f"<g><title>{escape(f'{node.name}: {node.detail}')}</title>"
        f'<rect class="box {node.look}{never}" x="{left:.0f}" y="{top:.0f}" width="{box.width:.0f}"'
        f' height="{box.height:.0f}" rx="{7 if node.look != "end" else 20}"/>'
        f"{_text('name', box.x, box.y - 3, node.name)}{_text('detail', box.x, box.y + 14, node.detail)}"
        f"{count}</g>"
    )


def _text(kind: str, x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'


def _path(arrow: Arrow) -> str:
    kind = "never" if arrow.edge.count == 0 else "back" if arrow.is_back else "way"
    return f'<path class="{kind}" d="{_curve(arrow.points)}" marker-end="url(#tip)"/>'


def _curve(points: tuple[Point, ...]) -> str:
    """Straight down through the stand-ins, bent between the layers."""
    (x, y), *rest = points
    parts = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        middle = (y + to_y) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(parts)


def _labels(layout: Layout) -> list[str]:
    """Each label near the beginning of its arrow, one below the other where they would cover each other."""
    taken: list[tuple[float, float, float]] = []
    texts = []
    for arrow in sorted(layout.arrows, key=lambda one: one.points[0]):
        words = [word for word in (arrow.edge.label, _count_words(arrow)) if word]
        if not words:
            continue
        text = " · ".join(words)
        x, y = _label_place(arrow.points)
        width = len(text) * 6.0
        while any(abs(y - ty) < 12 and abs(x - tx) < (width + tw) / 2 + 4 for tx, ty, tw in taken):
            y += 12
        taken.append((x, y, width))
        never = " never" if arrow.edge.count == 0 else ""
        texts.append(_text(f"label{never}", x, y, text))
    return texts


def _count_words(arrow: Arrow) -> str:
    return "" if arrow.edge.count is None else f"×{arrow.edge.count}"


def _label_place(points: tuple[Point, ...]) -> Point:
    (x, y), (to_x, to_y) = points[0], points[1]
    down = 1 if to_y > y else -1
    return x + (to_x - x) * 0.22, y + down * 17 + (3 if down > 0 else 0)
