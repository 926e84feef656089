-- The wide events table, what the loader inserts into, and the bookkeeping tables.
-- Every statement is idempotent: a migration cut off by a crash is run again from its first line.
-- Why these codecs and this order: sql/README.md, with the measurements.

CREATE DATABASE IF NOT EXISTS marquee;

CREATE TABLE IF NOT EXISTS marquee.migrations
(
    number UInt32,
    name String,
    checksum String,
    applied_time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY number;

-- One row per event. (session_id, seq), or external_id, is unique per site. Absent: '' for text, 0 for numbers,
-- 65535 for positions in 1/10,000, -1 for results_count.
CREATE TABLE IF NOT EXISTS marquee.events
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    session_id UInt64 CODEC(ZSTD(1)),
    seq UInt32 CODEC(Delta, ZSTD(1)),
    external_id String CODEC(ZSTD(3)),
    event_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    event_type Enum8('page_view' = 1, 'page_leave' = 2, 'impression' = 3, 'viewable_impression' = 4, 'hover' = 5,
                     'click' = 6, 'scroll' = 7, 'search' = 8, 'course_view' = 9, 'course_click' = 10,
                     'conversion' = 11, 'exposure' = 12, 'custom' = 13) CODEC(ZSTD(1)),
    user_key UInt64 CODEC(ZSTD(1)),
    college_id LowCardinality(String) CODEC(ZSTD(1)),
    program LowCardinality(String) CODEC(ZSTD(1)),
    year_of_study UInt8 CODEC(ZSTD(1)),
    city LowCardinality(String) CODEC(ZSTD(1)),
    device LowCardinality(String) CODEC(ZSTD(1)),
    os LowCardinality(String) CODEC(ZSTD(1)),
    browser LowCardinality(String) CODEC(ZSTD(1)),
    is_bot Bool CODEC(ZSTD(1)),
    consent Enum8('unknown' = 0, 'denied' = 1, 'contextual' = 2, 'full' = 3) CODEC(ZSTD(1)),
    page_id LowCardinality(String) CODEC(ZSTD(1)),
    page_path String CODEC(ZSTD(3)),
    referrer_host LowCardinality(String) CODEC(ZSTD(1)),
    slot_id LowCardinality(String) CODEC(ZSTD(1)),
    position UInt8 CODEC(ZSTD(1)),
    viewport_width UInt16 CODEC(ZSTD(1)),
    viewport_height UInt16 CODEC(ZSTD(1)),
    scroll_depth UInt16 CODEC(ZSTD(1)),
    slot_x UInt16 CODEC(ZSTD(1)),
    slot_y UInt16 CODEC(ZSTD(1)),
    page_x UInt16 CODEC(ZSTD(1)),
    page_y UInt16 CODEC(ZSTD(1)),
    campaign_id LowCardinality(String) CODEC(ZSTD(1)),
    ad_id LowCardinality(String) CODEC(ZSTD(1)),
    decision_id String CODEC(ZSTD(3)),
    course_id LowCardinality(String) CODEC(ZSTD(1)),
    search_query String CODEC(ZSTD(3)),
    results_count Int32 CODEC(ZSTD(1)),
    dwell_ms UInt32 CODEC(ZSTD(1)),
    visible_ms UInt32 CODEC(ZSTD(1)),
    value Float64 CODEC(ZSTD(1)),
    propensity Float32 CODEC(ZSTD(1)),
    policy LowCardinality(String) CODEC(ZSTD(1)),
    props JSON(max_dynamic_paths = 128) CODEC(ZSTD(1)),
    log_partition UInt16 CODEC(ZSTD(1)),
    log_offset UInt64 CODEC(Delta, ZSTD(1)),
    -- Short names, as the API has them.
    x UInt16 ALIAS slot_x,
    y UInt16 ALIAS slot_y,
    -- Recovery asks for recent offsets: parts that hold only older ones are skipped without reading a column.
    INDEX log_offset_range log_offset TYPE minmax GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(event_time)
ORDER BY (site_id, user_key, event_time)
SAMPLE BY user_key
SETTINGS min_parts_to_merge_at_once = 12, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1,
    min_level_for_wide_part = 1, auto_statistics_types = '';

-- What the loader inserts into. The views on it carry each block to the events table and to every rollup.
-- props is text here: an empty text is cheaper to send than an empty object.
CREATE TABLE IF NOT EXISTS marquee.events_in
(
    site_id LowCardinality(String),
    session_id UInt64,
    seq UInt32,
    external_id String,
    event_time DateTime64(3, 'UTC'),
    received_time DateTime64(3, 'UTC'),
    event_type Enum8('page_view' = 1, 'page_leave' = 2, 'impression' = 3, 'viewable_impression' = 4, 'hover' = 5,
                     'click' = 6, 'scroll' = 7, 'search' = 8, 'course_view' = 9, 'course_click' = 10,
                     'conversion' = 11, 'exposure' = 12, 'custom' = 13),
    user_key UInt64,
    college_id LowCardinality(String),
    program LowCardinality(String),
    year_of_study UInt8,
    city LowCardinality(String),
    device LowCardinality(String),
    os LowCardinality(String),
    browser LowCardinality(String),
    is_bot Bool,
    consent Enum8('unknown' = 0, 'denied' = 1, 'contextual' = 2, 'full' = 3),
    page_id LowCardinality(String),
    page_path String,
    referrer_host LowCardinality(String),
    slot_id LowCardinality(String),
    position UInt8,
    viewport_width UInt16,
    viewport_height UInt16,
    scroll_depth UInt16,
    slot_x UInt16,
    slot_y UInt16,
    page_x UInt16,
    page_y UInt16,
    campaign_id LowCardinality(String),
    ad_id LowCardinality(String),
    decision_id String,
    course_id LowCardinality(String),
    search_query String,
    results_count Int32,
    dwell_ms UInt32,
    visible_ms UInt32,
    value Float64,
    propensity Float32,
    policy LowCardinality(String),
    props String,
    log_partition UInt16,
    log_offset UInt64
)
ENGINE = Null;

-- Recovery completes the events table alone through this one, and then rebuilds the rollups from it.
CREATE TABLE IF NOT EXISTS marquee.events_repair AS marquee.events_in ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.events_mv TO marquee.events AS
SELECT * REPLACE (if(props = '', '{}', props)::JSON(max_dynamic_paths = 128) AS props)
FROM marquee.events_in;

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.events_repair_mv TO marquee.events AS
SELECT * REPLACE (if(props = '', '{}', props)::JSON(max_dynamic_paths = 128) AS props)
FROM marquee.events_repair;

-- Log records that could not be decoded or that the store refused; `bytes` is the record as it stands in the log.
CREATE TABLE IF NOT EXISTS marquee.dead_letters
(
    log_partition UInt16,
    log_offset UInt64,
    reason String CODEC(ZSTD(3)),
    bytes String CODEC(ZSTD(3)),
    received_time DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (log_partition, log_offset);
