-- Delivery summed in four ways, so that a report over a month reads thousands of rows and not millions. One table and one
-- view for all of them: what a small insert costs is mostly its number of views and parts.

-- By which definition each rollup was counted, over all of its days: one whose view has another is counted anew.
CREATE TABLE IF NOT EXISTS marquee.rollup_definitions
(
    rollup String,
    definition String,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(time)
ORDER BY rollup;

-- The same events as in campaign_minute. `grouping` says which columns a row has; the others are empty:
-- campaign_totals: hour, campaign, policy; ad_days: day, campaign, ad, slot, position, policy; college_days: day, college,
-- campaign, ad, policy; cohort_days: day and who the user is. spend_e4 is the value of impressions and clicks, revenue_e4
-- that of conversions: sums of round(value * 10,000).
CREATE TABLE IF NOT EXISTS marquee.delivery_sums
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    grouping Enum8('campaign_totals' = 1, 'ad_days' = 2, 'college_days' = 3, 'cohort_days' = 4) CODEC(ZSTD(1)),
    time DateTime('UTC') CODEC(Delta, ZSTD(1)),
    campaign_id LowCardinality(String) CODEC(ZSTD(1)),
    ad_id LowCardinality(String) CODEC(ZSTD(1)),
    slot_id LowCardinality(String) CODEC(ZSTD(1)),
    position UInt8 CODEC(ZSTD(1)),
    college_id LowCardinality(String) CODEC(ZSTD(1)),
    program LowCardinality(String) CODEC(ZSTD(1)),
    year_of_study UInt8 CODEC(ZSTD(1)),
    city LowCardinality(String) CODEC(ZSTD(1)),
    device LowCardinality(String) CODEC(ZSTD(1)),
    policy LowCardinality(String) CODEC(ZSTD(1)),
    is_bot Bool CODEC(ZSTD(1)),
    impressions UInt64 CODEC(ZSTD(1)),
    viewable_impressions UInt64 CODEC(ZSTD(1)),
    hovers UInt64 CODEC(ZSTD(1)),
    clicks UInt64 CODEC(ZSTD(1)),
    conversions UInt64 CODEC(ZSTD(1)),
    dwell_ms UInt64 CODEC(ZSTD(1)),
    visible_ms UInt64 CODEC(ZSTD(1)),
    spend_e4 Int64 CODEC(ZSTD(1)),
    revenue_e4 Int64 CODEC(ZSTD(1)),
    events UInt64 CODEC(ZSTD(1))
)
ENGINE = SummingMergeTree
PARTITION BY toDate(time)
ORDER BY (site_id, grouping, time, campaign_id, ad_id, slot_id, position, college_id, program, year_of_study, city, device, policy, is_bot)
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.delivery_sums_mv TO marquee.delivery_sums AS
SELECT
    site_id,
    multiIf(grouping(hour) = 0, 'campaign_totals', grouping(slot_id) = 0, 'ad_days', grouping(program) = 0, 'cohort_days',
            'college_days') AS grouping,
    if(grouping(hour) = 0, hour, day) AS time,
    campaign_id,
    ad_id,
    slot_id,
    position,
    college_id,
    program,
    year_of_study,
    city,
    device,
    policy,
    is_bot,
    countIf(event_type = 'impression') AS impressions,
    countIf(event_type = 'viewable_impression') AS viewable_impressions,
    countIf(event_type = 'hover') AS hovers,
    countIf(event_type = 'click') AS clicks,
    countIf(event_type = 'conversion') AS conversions,
    sum(in.dwell_ms) AS dwell_ms,
    sum(in.visible_ms) AS visible_ms,
    sumIf(toInt64(round(value * 10000)), event_type IN ('impression', 'click')) AS spend_e4,
    sumIf(toInt64(round(value * 10000)), event_type = 'conversion') AS revenue_e4,
    count() AS events
FROM marquee.events_in AS in
WHERE event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')
    AND (campaign_id != '' OR ad_id != '' OR slot_id != '')
GROUP BY GROUPING SETS (
    (site_id, toStartOfHour(event_time) AS hour, campaign_id, policy, is_bot),
    (site_id, toStartOfDay(event_time) AS day, campaign_id, ad_id, slot_id, position, policy, is_bot),
    (site_id, day, college_id, campaign_id, ad_id, policy, is_bot),
    (site_id, day, college_id, program, year_of_study, city, device, is_bot));
