-- Who is being erased, for the statements that do it: no text of a statement, and so no file of a mutation and no log of
-- queries, has a user's key. In memory alone; the catalog knows what is to be done (docs/privacy.md).
CREATE TABLE IF NOT EXISTS marquee.erasing
(
    site_id String,
    user_key UInt64
)
ENGINE = Memory;

-- The dead letters of that user.
CREATE TABLE IF NOT EXISTS marquee.erasing_letters
(
    source_topic String,
    log_partition UInt16,
    log_offset UInt64,
    bytes_hash UInt64
)
ENGINE = Memory;
