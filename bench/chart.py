"""Draws the curve of `make bench` as SVG."""

import statistics
from collections.abc import Callable, Mapping

from bench.curve import Point, Points

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 190, 20, 50
COLOURS = ("#2563eb", "#059669")
FLOOR_COLOUR = "#6b7280"


def chart(curves: Mapping[str, Points]) -> str:
    """Orders decided per second over the number of clients, and the floor of the first curve."""
    first = next(iter(curves.values()))
    lines = {title: _medians(points, lambda point: point.decided_per_s) for title, points in curves.items()}
    lines["F1: bare in PostgreSQL"] = _medians(first, lambda point: point.floor_per_s)
    top = max(max(line.values()) for line in lines.values()) * 1.1
    steps = dict(zip(first, range(len(first)), strict=True))
    width = WIDTH - LEFT - RIGHT

    def at(clients: int, per_s: float) -> tuple[float, float]:
        x = LEFT + width * steps[clients] / (len(steps) - 1)
        return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * per_s / top

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif"'
        ' font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT + width / 2}" y="{HEIGHT - 10}" text-anchor="middle">clients</text>',
        f'<text x="{LEFT - 44}" y="{TOP - 4}">orders decided a second</text>',
    ]
    for per_s in range(0, int(top), 1000):
        _, y = at(1, per_s)
        drawn += [
            f'<line x1="{LEFT}" x2="{LEFT + width}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e5e7eb"/>',
            f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{per_s:,}</text>',
        ]
    drawn += [
        f'<text x="{at(clients, 0)[0]:.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{clients}</text>'
        for clients in first
    ]
    for colour, (title, line) in zip((*COLOURS, FLOOR_COLOUR), lines.items(), strict=True):
        places = [at(clients, per_s) for clients, per_s in line.items()]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
        x, y = places[-1]
        drawn += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            *(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>' for x, y in places),
            f'<text x="{x + 8:.0f}" y="{y + 4:.0f}" fill="{colour}">{title}</text>',
        ]
    return "\n".join([*drawn, "</svg>", ""])


def _medians(points: Points, figure: Callable[[Point], float]) -> dict[int, float]:
    return {clients: statistics.median(map(figure, found)) for clients, found in points.items()}
