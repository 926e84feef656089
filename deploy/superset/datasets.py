"""The datasets: Marquee's rollups where they answer exactly, the events where only those know the attribute."""

from __future__ import annotations

from deploy import measures
from deploy.superset.model import Column, Dataset, Metric

COUNT = ",d"
PERCENT = ".2%"
SECONDS = ",.1f"
MONEY = ",.2f"

SITE = Column("site_id", "String", "Site")
TIME = Column("time", None, "Time (UTC)", is_time=True)
CAMPAIGN = Column("campaign_id", "String", "Campaign")
AD = Column("ad_id", "String", "Ad")
SLOT = Column("slot_id", "String", "Slot")
POSITION = Column("position", "UInt8", "Position")
COLLEGE = Column("college_id", "String", "College")
POLICY = Column("policy", "String", "Policy")

_RATES = (
    Metric("ctr", "CTR", measures.CTR, PERCENT, "Clicks of an impression"),
    Metric("ctr_low", "CTR, at least", measures.CTR_LOW, PERCENT, "Lower bound of its 95 % interval (Wilson)"),
    Metric("ctr_high", "CTR, at most", measures.CTR_HIGH, PERCENT, "Upper bound of its 95 % interval (Wilson)"),
    Metric("viewability", "Viewability", measures.VIEWABILITY, PERCENT, "Impressions of which half was in view for a second"),
    Metric("conversion_rate", "Conversion rate", measures.CONVERSION_RATE, PERCENT, "Conversions of a click"),
    Metric("hover_seconds", "Hover, s", measures.HOVER_SECONDS, SECONDS, "How long a hover lasted, on average"),
)


def _total(column: str, title: str, description: str) -> Metric:
    # Not by the column's own name: in ClickHouse the name of a sum would then stand for the column in the rates beside it.
    return Metric(f"total_{column}", title, f"sum({column})", COUNT, description)


_COUNTED = (
    ("impressions", "Impressions", "Ads that were rendered"),
    ("viewable_impressions", "Viewable impressions", "Ads of which half was in view for a second (IAB/MRC)"),
    ("hovers", "Hovers", "Pointers that rested on an ad"),
    ("clicks", "Clicks", "Clicks on an ad"),
    ("conversions", "Conversions", "What an ad was for"),
)
_TOTALS = tuple(_total(column, title, description) for column, title, description in _COUNTED)

DELIVERY = Dataset(
    "ad_delivery", "Delivery of ads by hour, campaign, ad, slot, position, college and policy; without bots. Read from a rollup.",
    "time",
    f"""SELECT site_id, time, campaign_id, ad_id, slot_id, position, college_id, policy,
       impressions, viewable_impressions, hovers, clicks, conversions, dwell_ms
FROM marquee.campaign_hour
WHERE {measures.NO_BOTS}""",
    (SITE, TIME, CAMPAIGN, AD, SLOT, POSITION, COLLEGE, POLICY), _TOTALS + _RATES)

POSITIONS = Dataset(
    "ad_positions", "Where ads stand and where in them people look and click: slots, positions, twentieths of a slot's width "
    "and height; by day, without bots. Read from a rollup.",
    "day",
    f"""SELECT site_id, day, page_id, slot_id, position, device, event_type::String AS event_type, intDiv(cell_x, 5) * 5 AS from_left,
       intDiv(cell_y, 5) * 5 AS from_top, cell_x < 100 AS is_placed, count
FROM marquee.heatmap_cells
WHERE {measures.NO_BOTS}""",
    (SITE, Column("day", "Date", "Day (UTC)", is_time=True), Column("page_id", "String", "Page"), SLOT, POSITION,
     Column("device", "String", "Device"), Column("event_type", "String", "Event"), Column("from_left", "UInt8", "From the left, %"),
     Column("from_top", "UInt8", "From the top, %"), Column("is_placed", "Bool", "Its place in the slot is known")),
    (Metric("impressions", "Impressions", measures.count_of("impression"), COUNT, "Ads that were rendered"),
     Metric("hovers", "Hovers", measures.count_of("hover"), COUNT, "Pointers that rested on an ad"),
     Metric("clicks", "Clicks", measures.count_of("click"), COUNT, "Clicks on an ad"),
     Metric("ctr", "CTR", measures.POSITION_CTR, PERCENT, "Clicks of an impression")))

# What reads the events counts a share of the users where they are many, of all sites and times: a dataset does not know what is asked of it.
_SHARE = f"{measures.share_of_users('1')} AS share"
_ESTIMATED = " Where users are many, a share of them: counts are then estimates."


def _sum_of_share(column: str, title: str, description: str) -> Metric:
    return Metric(f"total_{column}", title, measures.estimated(f"sum({column})", "any(share)"), COUNT, description)


# One row per event here: only the events know program, year, city and device, and tell spend from revenue.
COHORTS = Dataset(
    "ad_cohorts", "Ad events with the attributes of the user: college, program, year, city, device; without bots. Read from the events." + _ESTIMATED,
    "event_time",
    f"""SELECT site_id, event_time, campaign_id, college_id, program, toString(year_of_study) AS year_of_study, city, device, user_key,
       event_type = 'impression' AS impressions, event_type = 'viewable_impression' AS viewable_impressions,
       event_type = 'hover' AS hovers, event_type = 'click' AS clicks, event_type = 'conversion' AS conversions, dwell_ms, value,
       {_SHARE}
FROM marquee.events
WHERE {measures.NO_BOTS} AND event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')
    AND (campaign_id != '' OR ad_id != '' OR slot_id != '') AND {measures.events_of_share('share')}""",
    (SITE, Column("event_time", None, "Time (UTC)", is_time=True), CAMPAIGN, COLLEGE, Column("program", "String", "Program"),
     Column("year_of_study", "String", "Year"), Column("city", "String", "City"), Column("device", "String", "Device")),
    tuple(_sum_of_share(column, title, description) for column, title, description in _COUNTED) + _RATES + (
        Metric("reach", "Reach", measures.estimated("uniqExactIf(user_key, impressions AND user_key != 0)", "any(share)"), COUNT,
               "Users with an impression"),
        Metric("spend", "Spend", "sumIf(value, impressions OR clicks) / any(share)", MONEY, "What impressions and clicks cost"),
        Metric("revenue", "Revenue", "sumIf(value, conversions) / any(share)", MONEY, "What conversions brought")))

_FUNNELS = {
    "ad": ("impression", "click", "conversion"),
    "course": ("search", "course_view", "course_click"),
    "course without search": ("course_view", "course_click"),
}


def _levels() -> str:
    """Per user and day: each funnel's name, its steps, and how many of them were done in order within 30 minutes."""
    parts = []
    for name, steps in _FUNNELS.items():
        conditions = ", ".join(f"event_type = '{step}'" for step in steps)
        numbered = ", ".join(f"'{number}. {step}'" for number, step in enumerate(steps, 1))
        parts.append(f"('{name}', [{numbered}], windowFunnel(1800000)(toUInt64(toUnixTimestamp64Milli(event_time)), {conditions}))")
    return "[" + ",\n            ".join(parts) + "]"


_STEPS = sorted({step for steps in _FUNNELS.values() for step in steps})

JOURNEYS = Dataset(
    "journeys", "How far users came in funnels on a day, each step after the one before, all within 30 minutes. Users without key are told "
    "apart by session; without bots. Read from the events." + _ESTIMATED,
    "day",
    f"""SELECT site_id, day, who, college_id, done.1 AS funnel, arrayJoin(arraySlice(done.2, 1, done.3)) AS step, {_SHARE}
FROM (
    SELECT site_id, toDate(event_time) AS day, if(user_key != 0, user_key, session_id) AS who, any(events.college_id) AS college_id,
        arrayJoin({_levels()}) AS done
    FROM marquee.events
    WHERE {measures.NO_BOTS} AND event_type IN ({", ".join(f"'{step}'" for step in _STEPS)}) AND (user_key != 0 OR session_id != 0)
        AND {measures.of_share(measures.share_of_users('1'))}
    GROUP BY site_id, day, who
)""",
    (SITE, Column("day", "Date", "Day (UTC)", is_time=True), COLLEGE, Column("funnel", "String", "Funnel"),
     Column("step", "String", "Step")),
    (Metric("users", "Users", measures.estimated("uniqExact(who)", "any(share)"), COUNT, "Users who came to the step"),))

SEARCHES = Dataset(
    "searches", "What users searched for, and whether something was found; without bots. Read from the events." + _ESTIMATED,
    "event_time",
    f"""SELECT site_id, event_time, lowerUTF8(trimBoth(search_query)) AS term, if(user_key != 0, user_key, session_id) AS who, results_count,
       {_SHARE}
FROM marquee.events
WHERE {measures.NO_BOTS} AND event_type = 'search' AND {measures.events_of_share('share')}""",
    (SITE, Column("event_time", None, "Time (UTC)", is_time=True), Column("term", "String", "Search term")),
    (Metric("searches", "Searches", measures.estimated("count()", "any(share)"), COUNT, "Searches"),
     Metric("searchers", "Users", measures.estimated("uniqExact(who)", "any(share)"), COUNT, "Users who searched"),
     Metric("nothing_found", "Nothing found", measures.estimated("countIf(results_count = 0)", "any(share)"), COUNT, "Searches without a result")))

DATASETS = (DELIVERY, POSITIONS, COHORTS, JOURNEYS, SEARCHES)
