-- What makes recoveries of several loaders cheaper, or needless.

-- What a holder of the rebuild lock has rebuilt: others that waited for the lock need not do it again.
ALTER TABLE marquee.rebuilds ADD COLUMN IF NOT EXISTS days Array(String);

-- Plans that landed whole, by the word of who planned them and could not tell the log any more: their partition had been
-- taken from it. Whoever finds such a plan in the log need not count it.
CREATE TABLE IF NOT EXISTS marquee.landed_plans
(
    log_partition UInt16,
    loader String,
    begin UInt64,
    end UInt64,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (log_partition, loader, begin)
TTL toDateTime(time) + INTERVAL 30 DAY;
