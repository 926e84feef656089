-- Rollups. Each has one view on marquee.events_in, named <rollup>_mv, whose SELECT is the rollup's only definition: the
-- rebuild and the recount read it from system.tables and run it over a day of marquee.events. So such a SELECT names
-- marquee.events_in once, groups by the rollup's whole key, and puts every event into the partition of its own UTC day.

-- Delivery by minute: events of the ad types (impression, viewable_impression, hover, click, conversion) that name a
-- campaign, an ad or a slot. value_e4 is the sum of round(value * 10,000); all times are in UTC.
CREATE TABLE IF NOT EXISTS marquee.campaign_minute
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    time DateTime('UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String) CODEC(ZSTD(1)),
    ad_id LowCardinality(String) CODEC(ZSTD(1)),
    slot_id LowCardinality(String) CODEC(ZSTD(1)),
    position UInt8 CODEC(ZSTD(1)),
    college_id LowCardinality(String) CODEC(ZSTD(1)),
    policy LowCardinality(String) CODEC(ZSTD(1)),
    is_bot Bool CODEC(ZSTD(1)),
    impressions UInt64 CODEC(ZSTD(1)),
    viewable_impressions UInt64 CODEC(ZSTD(1)),
    hovers UInt64 CODEC(ZSTD(1)),
    clicks UInt64 CODEC(ZSTD(1)),
    conversions UInt64 CODEC(ZSTD(1)),
    dwell_ms UInt64 CODEC(ZSTD(1)),
    visible_ms UInt64 CODEC(ZSTD(1)),
    value_e4 Int64 CODEC(ZSTD(1)),
    events UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(time)
ORDER BY (site_id, time, campaign_id, ad_id, slot_id, position, college_id, policy, is_bot)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.campaign_minute_mv TO marquee.campaign_minute AS
SELECT
    site_id,
    toStartOfMinute(event_time) AS time,
    campaign_id,
    ad_id,
    slot_id,
    position,
    college_id,
    policy,
    is_bot,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'viewable_impression') AS viewable_impressions,
    countIf(event_type = 'hover') AS hovers,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type = 'conversion') AS conversions,
    sum(in.dwell_ms) AS dwell_ms,
    sum(in.visible_ms) AS visible_ms,
    sum(toInt64(round(value * 10000))) AS value_e4,
    count() AS events
FROM marquee.events_in AS in
WHERE event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')
    AND (campaign_id != '' OR ad_id != '' OR slot_id != '')
GROUP BY site_id, time, campaign_id, ad_id, slot_id, position, college_id, policy, is_bot;

-- The same by hour, for long ranges.
CREATE TABLE IF NOT EXISTS marquee.campaign_hour AS marquee.campaign_minute;

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.campaign_hour_mv TO marquee.campaign_hour AS
SELECT
    site_id,
    toStartOfHour(event_time) AS time,
    campaign_id,
    ad_id,
    slot_id,
    position,
    college_id,
    policy,
    is_bot,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'viewable_impression') AS viewable_impressions,
    countIf(event_type = 'hover') AS hovers,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type = 'conversion') AS conversions,
    sum(in.dwell_ms) AS dwell_ms,
    sum(in.visible_ms) AS visible_ms,
    sum(toInt64(round(value * 10000))) AS value_e4,
    count() AS events
FROM marquee.events_in AS in
WHERE event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')
    AND (campaign_id != '' OR ad_id != '' OR slot_id != '')
GROUP BY site_id, time, campaign_id, ad_id, slot_id, position, college_id, policy, is_bot;

-- Where in a slot people look and click: a grid of 100 x 100 cells over the slot; 255 where the event had no coordinates.
-- Impressions, viewable impressions, hovers and clicks that name a slot.
CREATE TABLE IF NOT EXISTS marquee.heatmap_cells
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    day Date CODEC(ZSTD(1)),
    page_id LowCardinality(String) CODEC(ZSTD(1)),
    slot_id LowCardinality(String) CODEC(ZSTD(1)),
    position UInt8 CODEC(ZSTD(1)),
    device LowCardinality(String) CODEC(ZSTD(1)),
    event_type Enum8('page_view' = 1, 'page_leave' = 2, 'impression' = 3, 'viewable_impression' = 4, 'hover' = 5,
                     'click' = 6, 'scroll' = 7, 'search' = 8, 'course_view' = 9, 'course_click' = 10,
                     'conversion' = 11, 'exposure' = 12, 'custom' = 13) CODEC(ZSTD(1)),
    cell_x UInt8 CODEC(ZSTD(1)),
    cell_y UInt8 CODEC(ZSTD(1)),
    is_bot Bool CODEC(ZSTD(1)),
    count UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY day
ORDER BY (site_id, day, page_id, slot_id, position, device, event_type, cell_x, cell_y, is_bot)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.heatmap_cells_mv TO marquee.heatmap_cells AS
SELECT
    site_id,
    toDate(event_time) AS day,
    page_id,
    slot_id,
    position,
    device,
    event_type,
    if(slot_x > 10000 OR slot_y > 10000, 255, least(intDiv(slot_x, 100), 99))::UInt8 AS cell_x,
    if(slot_x > 10000 OR slot_y > 10000, 255, least(intDiv(slot_y, 100), 99))::UInt8 AS cell_y,
    is_bot,
    count() AS count
FROM marquee.events_in
WHERE event_type IN ('impression', 'viewable_impression', 'hover', 'click') AND slot_id != ''
GROUP BY site_id, day, page_id, slot_id, position, device, event_type, cell_x, cell_y, is_bot;

-- What one user did in one day, for funnels, paths and retention. Events are in no particular order: sort them
-- (arraySort compares time first). Users without key are not here. Attributes that changed within the day: the greatest.
CREATE TABLE IF NOT EXISTS marquee.user_days
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    day Date CODEC(ZSTD(1)),
    user_key UInt64 CODEC(ZSTD(1)),
    is_bot Bool CODEC(ZSTD(1)),
    college_id SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    program SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    year_of_study SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    city SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    device SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    events SimpleAggregateFunction(groupArrayArray, Array(Tuple(
        time DateTime64(3, 'UTC'),
        event_type Enum8('page_view' = 1, 'page_leave' = 2, 'impression' = 3, 'viewable_impression' = 4, 'hover' = 5,
                         'click' = 6, 'scroll' = 7, 'search' = 8, 'course_view' = 9, 'course_click' = 10,
                         'conversion' = 11, 'exposure' = 12, 'custom' = 13),
        page_id String,
        slot_id String,
        campaign_id String,
        ad_id String,
        course_id String))) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (site_id, day, user_key, is_bot)
SAMPLE BY user_key
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.user_days_mv TO marquee.user_days AS
SELECT
    site_id,
    toDate(event_time) AS day,
    user_key,
    is_bot,
    max(in.college_id)::String AS college_id,
    max(in.program)::String AS program,
    max(in.year_of_study) AS year_of_study,
    max(in.city)::String AS city,
    max(in.device)::String AS device,
    groupArray((event_time, event_type, page_id::String, slot_id::String, campaign_id::String, ad_id::String,
                course_id::String)) AS events
FROM marquee.events_in AS in
WHERE user_key != 0
GROUP BY site_id, day, user_key, is_bot;

-- What a user showed interest in, by day. Features: search_term (lower case), course (viewed or clicked), ad_view
-- (impressions), ad_click, campaign_click, slot_click. Bots and users without key are not here.
CREATE TABLE IF NOT EXISTS marquee.user_features
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    day Date CODEC(ZSTD(1)),
    user_key UInt64 CODEC(ZSTD(1)),
    feature LowCardinality(String) CODEC(ZSTD(1)),
    value String CODEC(ZSTD(1)),
    count UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY day
ORDER BY (site_id, day, user_key, feature, value)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.user_features_mv TO marquee.user_features AS
SELECT
    site_id,
    toDate(event_time) AS day,
    user_key,
    pair.1 AS feature,
    pair.2 AS value,
    count() AS count
FROM marquee.events_in
ARRAY JOIN arrayFilter(p -> p.2 != '', multiIf(
    event_type = 'search', [('search_term', lowerUTF8(trimBoth(search_query)))],
    event_type IN ('course_view', 'course_click'), [('course', course_id::String)],
    event_type = 'impression', [('ad_view', ad_id::String)],
    event_type = 'click', [('ad_click', ad_id::String), ('campaign_click', campaign_id::String),
                           ('slot_click', slot_id::String)],
    [])) AS pair
WHERE user_key != 0 AND NOT is_bot AND event_type IN ('search', 'course_view', 'course_click', 'impression', 'click')
GROUP BY site_id, day, user_key, feature, value;
