-- What a dead letter needs to be told apart, whichever topic it came from, and to be replayed exactly once.

-- source_topic: of the record; empty for the log of a Marquee without Kafka. bytes_hash (XXH3) tells a letter from one at the
-- same offset of a log that was made anew. A letter that is written again, after a crash, replaces itself.
ALTER TABLE marquee.dead_letters
    ADD COLUMN IF NOT EXISTS source_topic String FIRST,
    ADD COLUMN IF NOT EXISTS bytes_hash UInt64 AFTER log_offset,
    MODIFY ORDER BY (log_partition, log_offset, source_topic, bytes_hash);

-- Every step of every replay, kept apart from the letters so that a letter which is written again keeps its mark. begun: about
-- to be sent, as the event of this identity; sent: the log has it; counted: the store had it already.
CREATE TABLE IF NOT EXISTS marquee.dead_letter_replays
(
    source_topic String,
    log_partition UInt16,
    log_offset UInt64,
    bytes_hash UInt64,
    time DateTime64(3, 'UTC') DEFAULT now64(3),
    replay UInt64,
    outcome Enum8('begun' = 1, 'sent' = 2, 'counted' = 3),
    is_mended Bool,
    site_id String,
    session_id UInt64,
    seq UInt32,
    external_id String
)
ENGINE = MergeTree
ORDER BY (source_topic, log_partition, log_offset, bytes_hash, time);

-- Each letter once, with the time of its replay; NULL where it was not replayed.
CREATE VIEW IF NOT EXISTS marquee.dead_letter_states AS
SELECT
    letter.source_topic AS source_topic,
    letter.log_partition AS log_partition,
    letter.log_offset AS log_offset,
    letter.bytes_hash AS bytes_hash,
    letter.received_time AS received_time,
    letter.reason AS reason,
    letter.bytes AS bytes,
    nullIf(done.time, toDateTime64(0, 3, 'UTC')) AS replayed_time
FROM (SELECT * FROM marquee.dead_letters FINAL) AS letter
LEFT JOIN
(
    SELECT source_topic, log_partition, log_offset, bytes_hash, min(dead_letter_replays.time) AS time
    FROM marquee.dead_letter_replays
    WHERE outcome != 'begun'
    GROUP BY source_topic, log_partition, log_offset, bytes_hash
) AS done USING (source_topic, log_partition, log_offset, bytes_hash);
