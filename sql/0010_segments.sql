-- Who is in which segment. A refresh writes all users of a segment under a version that nobody reads yet; then the catalog
-- says that this version is the one that holds. So no reader sees half a segment, and a refresh that dies leaves the old
-- one. (REPLACE PARTITION would not do: after kill -9 of the store it may show old and new rows.) A version is a partition,
-- and goes with it once no query can read it any more. Synced, as the catalog's word is.
CREATE TABLE IF NOT EXISTS marquee.segment_users
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    segment_id LowCardinality(String) CODEC(ZSTD(1)),
    version UInt64 CODEC(ZSTD(1)),
    user_key UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY version
ORDER BY user_key
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, auto_statistics_types = '';
