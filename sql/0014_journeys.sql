-- What each person did in a day, without all that reports of whole journeys do not ask: from these a funnel or a table of searches reads some
-- twelfth of the bytes and needs no grouping of single events. Nothing here is on the way of an insert: days that are over are made from their events
-- in the background (libs/analytics, journeys.h), each under a build number, which is a partition of its own. What holds is told by
-- journey_days alone, so a build that was cut off is nothing. Bots are not here, and nobody without user and session.

-- user_key, or session_id where there is no user (then user_key is 0, else session_id). For each event type the times of its events in the day, in
-- order: milliseconds since the day began (UTC) times 32, and a number below 32 that orders the person's events of one millisecond by seq (the
-- same where the seq is the same).
CREATE TABLE IF NOT EXISTS marquee.journeys
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    user_key UInt64 CODEC(ZSTD(1)),
    session_id UInt64 CODEC(ZSTD(1)),
    day Date CODEC(ZSTD(1)),
    build UInt64 CODEC(ZSTD(1)),
    page_view Array(UInt32) CODEC(Delta, LZ4),
    page_leave Array(UInt32) CODEC(Delta, ZSTD(1)),
    impression Array(UInt32) CODEC(Delta, LZ4),
    viewable_impression Array(UInt32) CODEC(Delta, LZ4),
    hover Array(UInt32) CODEC(Delta, LZ4),
    click Array(UInt32) CODEC(Delta, LZ4),
    scroll Array(UInt32) CODEC(Delta, ZSTD(1)),
    search Array(UInt32) CODEC(Delta, LZ4),
    course_view Array(UInt32) CODEC(Delta, LZ4),
    course_click Array(UInt32) CODEC(Delta, LZ4),
    conversion Array(UInt32) CODEC(Delta, LZ4),
    exposure Array(UInt32) CODEC(Delta, ZSTD(1)),
    custom Array(UInt32) CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY (day, build)
ORDER BY (site_id, user_key, session_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, auto_statistics_types = '';

-- Of each session with a search or with what may follow one: its searches of the day in order (terms in lower case, without spaces around them; whether
-- nothing was found; whether a click, course_click or course_view came of it that day), and whether such a one came before the first of them.
CREATE TABLE IF NOT EXISTS marquee.search_sessions
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    has_searches Bool CODEC(ZSTD(1)),
    session_id UInt64 CODEC(ZSTD(1)),
    day Date CODEC(ZSTD(1)),
    build UInt64 CODEC(ZSTD(1)),
    user_key UInt64 CODEC(ZSTD(1)),
    begins_with_click Bool CODEC(ZSTD(1)),
    terms Array(String) CODEC(ZSTD(1)),
    found_nothing Array(Bool) CODEC(ZSTD(1)),
    led_to_click Array(Bool) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY (day, build)
ORDER BY (site_id, has_searches, session_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, auto_statistics_types = '';

-- Which build of a day is whole, from which state of the day's events (of their parts) it was made, and how many rows it has: where that state is
-- another by now, or rows are missing, the day is read from the events.
CREATE TABLE IF NOT EXISTS marquee.journey_days
(
    day String,
    build UInt64,
    state String,
    journeys UInt64,
    search_sessions UInt64
)
ENGINE = ReplacingMergeTree(build)
ORDER BY day
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
