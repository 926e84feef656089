-- Feeds: topics of other producers whose messages become events.

-- What each partition's loader last told: `marquee load --status`, alerts.
CREATE TABLE IF NOT EXISTS marquee.feeds
(
    feed String,
    source_partition UInt32,
    loader String,
    time DateTime64(3, 'UTC'),
    messages_per_second Float64,
    events UInt64,
    dead_letters UInt64,
    ignored UInt64,
    last_error String
)
ENGINE = ReplacingMergeTree(time)
ORDER BY (feed, source_partition);
