"""What the dashboards of Grafana and of Superset count, written once for both, as libs/analytics defines it.

Every measure is an SQL expression over sums of a rollup's columns, so that it is right for any selection of rows: a rate is the
ratio of two sums, never a mean of rates.
"""

from __future__ import annotations

# The normal deviate of a 95 % interval.
_Z = 1.959963984540054

# Only what a person did: each report of Marquee leaves bots out.
NO_BOTS = "NOT is_bot"


def rate(part: str, whole: str) -> str:
    """`part` of `whole` as a proportion; NULL, which charts leave out, where there is no whole."""
    return f"sum({part}) / nullIf(sum({whole}), 0)"


def wilson(part: str, whole: str, side: int) -> str:
    """The lower (side -1) or upper (+1) bound of Wilson's 95 % interval of `rate(part, whole)`.

    Wilson 1927, multiplied through by n: (c + z^2/2 -+ z sqrt(c (n - c) / n + z^2/4)) / (n + z^2). Clicks beyond the impressions
    (their impressions lie before the range) count as no more than those, as in libs/analytics/src/statistics.cpp.
    """
    n = f"nullIf(sum({whole}), 0)"
    c = f"least(sum({part}), sum({whole}))"
    sign = "-" if side < 0 else "+"
    return f"({c} + {_Z ** 2 / 2!r} {sign} {_Z!r} * sqrt({c} * ({n} - {c}) / {n} + {_Z ** 2 / 4!r})) / ({n} + {_Z ** 2!r})"


def count_of(event_type: str) -> str:
    """Events of a type in marquee.heatmap_cells, whose rows are of one type each."""
    return f"sumIf(count, event_type = '{event_type}')"


CTR = rate("clicks", "impressions")
CTR_LOW = wilson("clicks", "impressions", -1)
CTR_HIGH = wilson("clicks", "impressions", +1)
VIEWABILITY = rate("viewable_impressions", "impressions")
CONVERSION_RATE = rate("conversions", "clicks")
HOVER_SECONDS = "sum(dwell_ms) / nullIf(sum(hovers), 0) / 1000"
POSITION_CTR = f"{count_of('click')} / nullIf({count_of('impression')}, 0)"
