"""Flows as pictures: one layered layout, drawn as SVG or written as Mermaid and DOT. Pure; no call, no store."""
