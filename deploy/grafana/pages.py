"""Where ads stand and what users come to: the heatmap of positions, and funnels."""

from __future__ import annotations

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.builders import dashboard as builders

from deploy import measures
from deploy.grafana.panels import COUNT, EXACT, PERCENT, bars, dashboard, matrix, number, rows
from deploy.grafana.queries import OF_PEOPLE, OF_SITE, SHARE_OF_PEOPLE, StoreQuery, one_of, site

_CELLS = f"FROM marquee.heatmap_cells\nWHERE {OF_SITE} AND $__dateFilter(day)"
# The same events by place and day alone, which are few rows however many events there are.
_PLACES = f"FROM marquee.delivery_sums\nWHERE {OF_SITE} AND grouping = 'ad_days' AND $__dateFilter(toDate(time)) AND slot_id != ''"
_FUNNELS = {"Ad": "impression,click,conversion", "Course": "search,course_view,course_click", "Course without search": "course_view,course_click"}


def positions() -> builders.Dashboard:
    counts = f"sum(impressions) AS \"Impressions\", sum(hovers) AS \"Hovers\", sum(clicks) AS \"Clicks\", {measures.CTR} AS \"CTR\""
    by_place = (f"SELECT slot_id AS \"Slot\", toString(position) AS \"Position\", {counts}\n{_PLACES}\n"
                "GROUP BY slot_id, position\nHAVING \"Impressions\" > 0 OR \"Clicks\" > 0\nORDER BY slot_id, position\nLIMIT 1000")
    tenths = "leftPad(toString(intDiv({}, 10) * 10), 2, '0')"
    cells = (f"SELECT {tenths.format('cell_y')} AS \"From the top, %\", {tenths.format('cell_x')} AS \"From the left, %\", sum(count) AS \"Clicks\"\n"
             f"{_CELLS} AND event_type = 'click' AND cell_x < 100\n"
             "GROUP BY \"From the top, %\", \"From the left, %\"\nORDER BY \"From the top, %\", \"From the left, %\"")
    best = (f"SELECT concat(slot_id, ', position ', toString(position)) AS \"Place\"\n{_PLACES}\nGROUP BY slot_id, position\n"
            f"HAVING sum(impressions) >= 100\nORDER BY {measures.CTR} DESC, \"Place\"\nLIMIT 1")
    board = dashboard("marquee-positions", "Heatmap of positions", "Where ads stand, and where people look and click. By whole days (UTC), without bots.",
                      "now-7d", "5m").with_variable(site())
    return (board
            .with_panel(number("CTR", "Clicks of an impression, over all slots.", StoreQuery(f"SELECT {measures.CTR} AS \"CTR\"\n{_PLACES}"), PERCENT,
                               width=8, decimals=2))
            .with_panel(number("Clicks", "Clicks on ads in a slot.", StoreQuery(f"SELECT sum(clicks) AS \"Clicks\"\n{_PLACES}"), EXACT, width=8))
            .with_panel(number("Best place", "The highest CTR of those with 100 impressions or more.", StoreQuery(best), "string", width=8)
                        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/")))
            .with_panel(matrix("CTR by slot and position", "Which place in a slot earns clicks.", by_place, "Position", "Slot", "CTR", PERCENT))
            .with_panel(matrix("Where in a slot people click", "Clicks by tenths of the slot's width and height, over all slots.", cells,
                               "From the left, %", "From the top, %", "Clicks", COUNT))
            .with_panel(rows("Places", "Every slot and position.", by_place,
                             {"Impressions": EXACT, "Hovers": EXACT, "Clicks": EXACT, "CTR": PERCENT}, width=24, gauge="CTR")))


def funnel() -> builders.Dashboard:
    chosen = one_of("funnel", "Funnel", "The steps, in order", {name: steps.replace(",", "+") for name, steps in _FUNNELS.items()})
    window = one_of("window", "Within", "From the first step to the last", {"30 minutes": "1800", "1 hour": "3600", "1 day": "86400"})
    # windowFunnel takes its conditions apart; a step that the chosen funnel does not have never comes true.
    steps = "splitByChar('+', ${funnel:sqlstring})"
    conditions = ", ".join(f"event_type::String = {steps}[{number}]" for number in (1, 2, 3))
    # A row of a share of users, or of sessions, stands for as many as the share is smaller.
    levels = (f"SELECT if(user_key != 0, user_key, session_id) AS who, 1 / if(any(user_key) != 0, share, share_of_sessions) AS people,\n"
              f"        any(college_id) AS college,\n"
              f"        windowFunnel(${{window:raw}} * 1000)(toUInt64(toUnixTimestamp64Milli(event_time)), {conditions}) AS level\n"
              f"    FROM marquee.events\n    PREWHERE {OF_PEOPLE}\n"
              f"    WHERE {OF_SITE} AND $__timeFilter_ms(event_time) AND event_type IN {steps}\n    GROUP BY who")

    def count(condition: str) -> str:
        return f"toUInt64(round(sumIf(people, {condition})))"

    def ask(columns: str, rest: str = "") -> str:
        return f"{SHARE_OF_PEOPLE}\nSELECT {columns}\nFROM (\n    {levels}\n){rest}"

    completed = f"level = length({steps})"
    share_completed = f"sumIf(people, {completed}) / nullIf(sumIf(people, level >= 1), 0)"
    by_step = ask(f"concat(toString(number), '. ', {steps}[number]) AS \"Step\", {count('level >= number')} AS \"Users\"",
                  f"\nARRAY JOIN arrayEnumerate({steps}) AS number\nGROUP BY number\nORDER BY number")
    overall = ask(f"{share_completed} AS \"Completed\"")
    begun = ask(f"{count('level >= 1')} AS \"Users\"")
    by_college = ask(f"college AS \"College\", {count('level >= 1')} AS \"Began\",\n    {count(completed)} AS \"Completed\", {share_completed} AS \"Share\"",
                     "\nGROUP BY college\nHAVING \"Began\" > 0\nORDER BY \"Began\" DESC, \"College\"\nLIMIT 100")
    board = dashboard("marquee-funnel", "Funnel", "How far users come, each step after the one before. Users without key are told apart by session; "
                      "without bots. Where users are many, estimated from a share of them.", "now-7d", "5m").with_variable(site("user_days")).with_variable(chosen).with_variable(window)
    return (board
            .with_panel(number("Completed", "Users who did all steps, of those who did the first.", StoreQuery(overall), PERCENT, width=12, decimals=1))
            .with_panel(number("Began", "Users who did the first step.", StoreQuery(begun), EXACT, width=12))
            .with_panel(bars("Steps", "Users who came to each step.", StoreQuery(by_step), EXACT, width=12))
            .with_panel(rows("By college", "Share of those who began.", by_college, {"Began": EXACT, "Completed": EXACT, "Share": PERCENT}, width=12,
                             gauge="Share")))
