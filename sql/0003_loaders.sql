-- What lets several loaders insert side by side, on any machines, and shuts out one that was replaced while it slept.

-- Names of loaders that were replaced: each loader draws one at its start and sends it with every row. Who takes over a
-- loader's planned range writes its name here first, so that nothing of that loader lands afterwards.
CREATE TABLE IF NOT EXISTS marquee.loaders_replaced
(
    loader String,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY loader
TTL toDateTime(time) + INTERVAL 30 DAY;

-- Signs of life of who rebuilds rollups. The lock itself is a database named marquee_rebuild_<number>: making one is
-- atomic, and dropping it takes with it whatever a rebuild that was given up would still swap in.
CREATE TABLE IF NOT EXISTS marquee.rebuilds
(
    number UInt64,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY number;

-- The loader inserts here. The views refuse a block whole, before any table has a row of it. IN and not a scalar
-- subquery: libchdb cancels the first insert for which it must evaluate one. LowCardinality: the test is of one value.
CREATE TABLE IF NOT EXISTS marquee.events_entry AS marquee.events_in ENGINE = Null;
ALTER TABLE marquee.events_entry ADD COLUMN IF NOT EXISTS loader LowCardinality(String);

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.events_entry_mv TO marquee.events_in AS
SELECT * EXCEPT (loader)
FROM marquee.events_entry
WHERE throwIf(loader IN (SELECT loader FROM marquee.loaders_replaced), 'marquee: this loader was replaced') = 0
    AND throwIf(empty(loader) IN (SELECT toUInt8(0) FROM system.databases WHERE startsWith(name, 'marquee_rebuild_')),
                'marquee: rollups are being rebuilt') = 0;

-- The same for what recovery completes; the rollups of those days are rebuilt afterwards.
CREATE TABLE IF NOT EXISTS marquee.events_repair_entry AS marquee.events_entry ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS marquee.events_repair_entry_mv TO marquee.events_repair AS
SELECT * EXCEPT (loader)
FROM marquee.events_repair_entry
WHERE throwIf(loader IN (SELECT loader FROM marquee.loaders_replaced), 'marquee: this loader was replaced') = 0;

-- What each partition's loader last told: `marquee load --status`, the console's pipeline page, alerts.
CREATE TABLE IF NOT EXISTS marquee.pipeline
(
    log_partition UInt16,
    loader String,
    time DateTime64(3, 'UTC'),
    lag_seconds Float64,
    events_per_second Float64,
    batch_rows UInt64,
    events_landed UInt64,
    repeats_dropped UInt64,
    dead_letters UInt64,
    last_error String
)
ENGINE = ReplacingMergeTree(time)
ORDER BY log_partition;
