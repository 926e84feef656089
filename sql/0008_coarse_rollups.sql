-- Coarser rollups: a report over a month should read thousands of rows, not millions. What makes delivery by minute is counted
-- once (marquee.delivery_in), and each rollup of it sums that up; only cohorts need the events again.
-- After this file, the program counts anew the rollups whose definition has changed (marquee.rollup_definitions).

-- By which definition each rollup was counted, over all of its days.
CREATE TABLE IF NOT EXISTS marquee.rollup_definitions
(
    rollup String,
    definition String,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(time)
ORDER BY rollup;

-- What impressions and clicks cost, and what conversions brought: sums of round(value * 10,000), as value_e4.
ALTER TABLE marquee.campaign_minute
    ADD COLUMN IF NOT EXISTS spend_e4 Int64 CODEC(ZSTD(1)) AFTER value_e4,
    ADD COLUMN IF NOT EXISTS revenue_e4 Int64 CODEC(ZSTD(1)) AFTER spend_e4;
ALTER TABLE marquee.campaign_hour
    ADD COLUMN IF NOT EXISTS spend_e4 Int64 CODEC(ZSTD(1)) AFTER value_e4,
    ADD COLUMN IF NOT EXISTS revenue_e4 Int64 CODEC(ZSTD(1)) AFTER spend_e4;

DROP TABLE IF EXISTS marquee.campaign_minute_mv;
DROP TABLE IF EXISTS marquee.campaign_hour_mv;

-- Delivery of what is being inserted, by minute. Holds nothing: its views are the rollups.
CREATE TABLE IF NOT EXISTS marquee.delivery_in
(
    site_id LowCardinality(String),
    time DateTime('UTC'),
    campaign_id LowCardinality(String),
    ad_id LowCardinality(String),
    slot_id LowCardinality(String),
    position UInt8,
    college_id LowCardinality(String),
    policy LowCardinality(String),
    is_bot Bool,
    impressions UInt64,
    viewable_impressions UInt64,
    hovers UInt64,
    clicks UInt64,
    conversions UInt64,
    dwell_ms UInt64,
    visible_ms UInt64,
    value_e4 Int64,
    spend_e4 Int64,
    revenue_e4 Int64,
    events UInt64
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.delivery_in_mv TO marquee.delivery_in AS
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
    sumIf(toInt64(round(value * 10000)), event_type IN ('impression', 'click')) AS spend_e4,
    sumIf(toInt64(round(value * 10000)), event_type = 'conversion') AS revenue_e4,
    count() AS events
FROM marquee.events_in AS in
WHERE event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')
    AND (campaign_id != '' OR ad_id != '' OR slot_id != '')
GROUP BY site_id, time, campaign_id, ad_id, slot_id, position, college_id, policy, is_bot;

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.campaign_minute_mv TO marquee.campaign_minute AS
SELECT * FROM marquee.delivery_in;

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.campaign_hour_mv TO marquee.campaign_hour AS
SELECT
    site_id,
    toStartOfHour(d.time) AS time,
    campaign_id,
    ad_id,
    slot_id,
    position,
    college_id,
    policy,
    is_bot,
    sum(d.impressions) AS impressions,
    sum(d.viewable_impressions) AS viewable_impressions,
    sum(d.hovers) AS hovers,
    sum(d.clicks) AS clicks,
    sum(d.conversions) AS conversions,
    sum(d.dwell_ms) AS dwell_ms,
    sum(d.visible_ms) AS visible_ms,
    sum(d.value_e4) AS value_e4,
    sum(d.spend_e4) AS spend_e4,
    sum(d.revenue_e4) AS revenue_e4,
    sum(d.events) AS events
FROM marquee.delivery_in AS d
GROUP BY site_id, time, campaign_id, ad_id, slot_id, position, college_id, policy, is_bot;

-- Delivery by hour and campaign alone. Everything is counted as in campaign_minute.
CREATE TABLE IF NOT EXISTS marquee.campaign_totals
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    time DateTime('UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String) CODEC(ZSTD(1)),
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
    spend_e4 Int64 CODEC(ZSTD(1)),
    revenue_e4 Int64 CODEC(ZSTD(1)),
    events UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(time)
ORDER BY (site_id, time, campaign_id, policy, is_bot)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.campaign_totals_mv TO marquee.campaign_totals AS
SELECT
    site_id,
    toStartOfHour(d.time) AS time,
    campaign_id,
    policy,
    is_bot,
    sum(d.impressions) AS impressions,
    sum(d.viewable_impressions) AS viewable_impressions,
    sum(d.hovers) AS hovers,
    sum(d.clicks) AS clicks,
    sum(d.conversions) AS conversions,
    sum(d.dwell_ms) AS dwell_ms,
    sum(d.visible_ms) AS visible_ms,
    sum(d.value_e4) AS value_e4,
    sum(d.spend_e4) AS spend_e4,
    sum(d.revenue_e4) AS revenue_e4,
    sum(d.events) AS events
FROM marquee.delivery_in AS d
GROUP BY site_id, time, campaign_id, policy, is_bot;

-- Delivery by day, ad and place.
CREATE TABLE IF NOT EXISTS marquee.ad_days
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    time DateTime('UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String) CODEC(ZSTD(1)),
    ad_id LowCardinality(String) CODEC(ZSTD(1)),
    slot_id LowCardinality(String) CODEC(ZSTD(1)),
    position UInt8 CODEC(ZSTD(1)),
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
    spend_e4 Int64 CODEC(ZSTD(1)),
    revenue_e4 Int64 CODEC(ZSTD(1)),
    events UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(time)
ORDER BY (site_id, time, campaign_id, ad_id, slot_id, position, policy, is_bot)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.ad_days_mv TO marquee.ad_days AS
SELECT
    site_id,
    toStartOfDay(d.time) AS time,
    campaign_id,
    ad_id,
    slot_id,
    position,
    policy,
    is_bot,
    sum(d.impressions) AS impressions,
    sum(d.viewable_impressions) AS viewable_impressions,
    sum(d.hovers) AS hovers,
    sum(d.clicks) AS clicks,
    sum(d.conversions) AS conversions,
    sum(d.dwell_ms) AS dwell_ms,
    sum(d.visible_ms) AS visible_ms,
    sum(d.value_e4) AS value_e4,
    sum(d.spend_e4) AS spend_e4,
    sum(d.revenue_e4) AS revenue_e4,
    sum(d.events) AS events
FROM marquee.delivery_in AS d
GROUP BY site_id, time, campaign_id, ad_id, slot_id, position, policy, is_bot;

-- Delivery by day, college and ad.
CREATE TABLE IF NOT EXISTS marquee.college_days
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    time DateTime('UTC') CODEC(Delta, ZSTD(1)),
    college_id LowCardinality(String) CODEC(ZSTD(1)),
    campaign_id LowCardinality(String) CODEC(ZSTD(1)),
    ad_id LowCardinality(String) CODEC(ZSTD(1)),
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
    spend_e4 Int64 CODEC(ZSTD(1)),
    revenue_e4 Int64 CODEC(ZSTD(1)),
    events UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(time)
ORDER BY (site_id, time, college_id, campaign_id, ad_id, policy, is_bot)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.college_days_mv TO marquee.college_days AS
SELECT
    site_id,
    toStartOfDay(d.time) AS time,
    college_id,
    campaign_id,
    ad_id,
    policy,
    is_bot,
    sum(d.impressions) AS impressions,
    sum(d.viewable_impressions) AS viewable_impressions,
    sum(d.hovers) AS hovers,
    sum(d.clicks) AS clicks,
    sum(d.conversions) AS conversions,
    sum(d.dwell_ms) AS dwell_ms,
    sum(d.visible_ms) AS visible_ms,
    sum(d.value_e4) AS value_e4,
    sum(d.spend_e4) AS spend_e4,
    sum(d.revenue_e4) AS revenue_e4,
    sum(d.events) AS events
FROM marquee.delivery_in AS d
GROUP BY site_id, time, college_id, campaign_id, ad_id, policy, is_bot;

-- Delivery by day and by who the user is, whatever the ad.
CREATE TABLE IF NOT EXISTS marquee.cohort_days
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    time DateTime('UTC') CODEC(Delta, ZSTD(1)),
    college_id LowCardinality(String) CODEC(ZSTD(1)),
    program LowCardinality(String) CODEC(ZSTD(1)),
    year_of_study UInt8 CODEC(ZSTD(1)),
    city LowCardinality(String) CODEC(ZSTD(1)),
    device LowCardinality(String) CODEC(ZSTD(1)),
    is_bot Bool CODEC(ZSTD(1)),
    impressions UInt64 CODEC(ZSTD(1)),
    viewable_impressions UInt64 CODEC(ZSTD(1)),
    hovers UInt64 CODEC(ZSTD(1)),
    clicks UInt64 CODEC(ZSTD(1)),
    conversions UInt64 CODEC(ZSTD(1)),
    dwell_ms UInt64 CODEC(ZSTD(1)),
    visible_ms UInt64 CODEC(ZSTD(1)),
    value_e4 Int64 CODEC(ZSTD(1)),
    spend_e4 Int64 CODEC(ZSTD(1)),
    revenue_e4 Int64 CODEC(ZSTD(1)),
    events UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(time)
ORDER BY (site_id, time, college_id, program, year_of_study, city, device, is_bot)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.cohort_days_mv TO marquee.cohort_days AS
SELECT
    site_id,
    toStartOfDay(event_time) AS time,
    college_id,
    program,
    year_of_study,
    city,
    device,
    is_bot,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'viewable_impression') AS viewable_impressions,
    countIf(event_type = 'hover') AS hovers,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type = 'conversion') AS conversions,
    sum(in.dwell_ms) AS dwell_ms,
    sum(in.visible_ms) AS visible_ms,
    sum(toInt64(round(value * 10000))) AS value_e4,
    sumIf(toInt64(round(value * 10000)), event_type IN ('impression', 'click')) AS spend_e4,
    sumIf(toInt64(round(value * 10000)), event_type = 'conversion') AS revenue_e4,
    count() AS events
FROM marquee.events_in AS in
WHERE event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')
    AND (campaign_id != '' OR ad_id != '' OR slot_id != '')
GROUP BY site_id, time, college_id, program, year_of_study, city, device, is_bot;
