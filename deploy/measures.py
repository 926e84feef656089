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


# What a panel reads of the events at most, about: those of so many users on a day. On 2 cores their funnel takes half a second.
USER_DAYS = 50_000
# Beyond so many events without key those of a share of the sessions are read, so many in all.
KEYLESS_EVENTS = 4_000_000
SESSION_EVENTS = 1_000_000
# As the events are ordered (libs/ingest, kEventOrder): the primary key finds it by this very text.
SESSION = "if(user_key = 0, session_id, 0)"


def _rounded(share: str) -> str:
    """To a power of two: other ranges then ask for the same users and sessions, and the store remembers where they are (query_condition_cache)."""
    return f"exp2(round(log2(least(1, {share}))))"


def share_of_users(condition: str) -> str:
    """Which share of the users a panel counts, so that it stays quick however many events there are: 1, all of them, up to USER_DAYS days of users.

    `condition` selects among marquee.user_days by site and day, which its index alone answers.
    """
    return f"(SELECT {_rounded(f'{USER_DAYS} / greatest(count(), 1)')} FROM marquee.user_days WHERE {condition})"


def share_of_sessions(condition: str, share: str) -> str:
    """Which share of the sessions without key: that of the users, or less where their events are many.

    `condition` selects among marquee.events by site and time, which its index alone answers.
    """
    many = _rounded(f"{SESSION_EVENTS} / greatest(count(), 1)")
    return f"least({share}, (SELECT if(count() <= {KEYLESS_EVENTS}, 1, {many}) FROM marquee.events WHERE user_key = 0 AND {condition}))"


def _last(share: str) -> str:
    """Up to which one hashes are of the share. The factor is the greatest number below 2^64 that a fraction can become."""
    return f"if({share} = 1, 18446744073709551615, toUInt64({share} * 18446744073709549568))"


def of_share(share: str, of_sessions: str | None = None) -> str:
    """Of marquee.events: those of the share of the people, at random, as keys are hashes; who has no key is told by the session.

    Both stand in this order in the table, so that only theirs are read.
    """
    return f"user_key <= {_last(share)} AND {SESSION} <= {_last(of_sessions or share)}"


def events_of_share(share: str) -> str:
    """The same where all events are counted: of those without key and session a share of the minutes, which alone are read."""
    minutes = ("SELECT toDateTime(minute * 60, 'UTC') FROM (SELECT arrayJoin(range(toUInt32(toUnixTimestamp(min(event_time))) DIV 60,\n"
               "        toUInt32(toUnixTimestamp(max(event_time))) DIV 60 + 1)) AS minute FROM marquee.events)\n"
               f"        WHERE cityHash64(minute) <= {_last(share)}")
    return (f"{of_share(share)}\n    AND ({share} = 1 OR user_key != 0 OR {SESSION} != 0 OR toStartOfMinute(event_time) IN (\n        {minutes}))")


def estimated(count: str, share: str) -> str:
    """A count of all users from that of the share."""
    return f"toUInt64(round({count} / {share}))"


CTR = rate("clicks", "impressions")
CTR_LOW = wilson("clicks", "impressions", -1)
CTR_HIGH = wilson("clicks", "impressions", +1)
VIEWABILITY = rate("viewable_impressions", "impressions")
CONVERSION_RATE = rate("conversions", "clicks")
HOVER_SECONDS = "sum(dwell_ms) / nullIf(sum(hovers), 0) / 1000"
# In both rollups of delivery the store keeps this beside the rows (sql/0009_bounded_panels.sql) and finds it by this very text.
LAST_SHOWN = "maxIf(time, impressions > 0)"
POSITION_CTR = f"{count_of('click')} / nullIf({count_of('impression')}, 0)"
