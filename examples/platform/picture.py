"""Draws the platform from its code location: each group of assets, and what it is made of.

`python -m examples.platform picture` writes docs/platform.svg.
"""

from collections import defaultdict
from collections.abc import Mapping
from html import escape
from pathlib import Path

import dagster as dg

from consumption_datamart.definitions import build_definitions

WIDTH, LINE, GAP, ABOVE = 168, 16, 46, 44
LISTED, LETTERS = 5, 22
"""So many names of assets, of so many letters, fit into a box."""
STYLE = """text{font:12px system-ui,sans-serif;fill:#1f2933}.t{font-weight:600;font-size:13px}
.n{fill:#52606d}rect{fill:#fff;stroke:#9aa5b1;rx:6}path{fill:none;stroke:#9aa5b1;stroke-width:1.5}
.o rect{fill:#f0f4f8;stroke-dasharray:4 3}svg{background:#fff}"""
OUTSIDE = {"ERP (PostgreSQL)": ("ingest", "fivetran"), "CRM": ("reverse_etl",)}
"""What is no asset: beside which groups it is."""


def groups(definitions: dg.Definitions) -> tuple[Mapping[str, list[str]], set[tuple[str, str]]]:
    """The assets of each group, and from which group to which an edge goes."""
    graph = definitions.resolve_asset_graph()
    found: dict[str, list[str]] = defaultdict(list)
    edges = set()
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        if node.group_name == "monitoring":
            continue
        found[node.group_name].append("/".join(key.path[1:]) or key.to_user_string())
        for parent in node.parent_keys:
            of = graph.get(parent).group_name
            if of not in (node.group_name, "monitoring"):
                edges.add((of, node.group_name))
    return found, edges


def columns(names: Mapping[str, list[str]], edges: set[tuple[str, str]]) -> dict[str, int]:
    """How far each group is from what is made of nothing."""
    place = dict.fromkeys(names, 0)
    for _ in names:
        for before, after in edges:
            place[after] = max(place[after], place[before] + 1)
            if place[after] > len(names):
                raise ValueError(f"groups in a circle: {before}, {after}")
    return place


def drawn(definitions: dg.Definitions) -> str:
    """The picture."""
    names, edges = groups(definitions)
    place = {name: column + 1 for name, column in columns(names, edges).items()}
    shown = {name: [*keys[:LISTED], *_more(keys)] for name, keys in names.items()}
    for name, beside in OUTSIDE.items():
        is_source = name == "ERP (PostgreSQL)"
        place[name] = 0 if is_source else max(place[each] for each in beside) + 1
        shown[name] = ["no asset"]
        edges |= {(name, each) if is_source else (each, name) for each in beside}
    below: dict[int, int] = defaultdict(lambda: ABOVE)
    boxes = {}
    for name in sorted(place, key=lambda each: (place[each], each)):
        height = 30 + LINE * len(shown[name])
        boxes[name] = (16 + place[name] * (WIDTH + GAP), below[place[name]], height)
        below[place[name]] += height + 24
    lines = [_edge(boxes[a], boxes[b]) for a, b in sorted(edges)]
    lines += [_box(name, boxes[name], shown[name]) for name in boxes]
    width = 32 + (max(place.values()) + 1) * (WIDTH + GAP) - GAP
    told = "From the ERP by way of Fivetran, the lake, the mart and dbt to the page and the CRM"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {max(below.values())}">',
            f"<title>{told}</title><style>{STYLE}</style>",
            '<text x="16" y="24" class="t">The groups of assets of the worked platform</text>',
            *lines,
            "</svg>",
            "",
        ]
    )


def write(settings: Mapping[str, object], file: Path) -> None:
    """Draws the code location of these settings into a file."""
    file.write_text(drawn(build_definitions(**settings)))


def _more(keys: list[str]) -> list[str]:
    return [f"… {len(keys) - LISTED} more"] if len(keys) > LISTED else []


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}…"


def _edge(a: tuple[int, int, int], b: tuple[int, int, int]) -> str:
    x, y, u, v = a[0] + WIDTH, a[1] + 15, b[0], b[1] + 15
    if u - x > WIDTH:  # below what is between
        x, y, v = a[0] + WIDTH // 2, a[1] + a[2], b[1] + b[2] - 10
        return f'<path d="M{x} {y} C{x} {y + 50} {u - 60} {v + 50} {u - 6} {v} m-6 -1 l6 1 l-3 6"/>'
    return f'<path d="M{x} {y} C{x + 24} {y} {u - 24} {v} {u - 6} {v} m-5 -4 l6 4 l-6 4"/>'


def _box(name: str, box: tuple[int, int, int], shown: list[str]) -> str:
    x, y, height = box
    texts = "".join(
        f'<text x="{x + 10}" y="{y + 38 + LINE * n}" class="n">{escape(_short(each))}</text>'
        for n, each in enumerate(shown)
    )
    outside = ' class="o"' if name in OUTSIDE else ""
    return (
        f'<g{outside}><rect x="{x}" y="{y}" width="{WIDTH}" height="{height}"/>'
        f'<text x="{x + 10}" y="{y + 20}" class="t">{escape(name)}</text>{texts}</g>'
    )
