-- What lets history be read again while loaders land: `marquee load --from`.

-- Every name that a loader took, written before it learns what has landed. Who brings events into the table behind the
-- loaders' backs shuts all of them out.
CREATE TABLE IF NOT EXISTS marquee.loaders
(
    loader String,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY loader;

-- Those of them that were. Each takes another name and learns anew what has landed: else it would take a repeat of what was
-- brought back for new. One that was merely replaced (loaders_replaced) goes on with what it knows.
CREATE TABLE IF NOT EXISTS marquee.loaders_out_of_date
(
    loader String,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY loader;

-- Signs of life of who reads history again, as marquee.rebuilds has them of who rebuilds. The lock is a database named
-- marquee_rewind_<number>, and the tables beside the live ones are in it.
CREATE TABLE IF NOT EXISTS marquee.rewinds
(
    number UInt64,
    time DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY number;

-- Recovery, too, waits while rollups are rebuilt: the same lock is held while tables are exchanged, and what landed in
-- the old table then would be gone with it.
ALTER TABLE marquee.events_repair_entry_mv MODIFY QUERY
SELECT * EXCEPT (loader)
FROM marquee.events_repair_entry
WHERE throwIf(loader IN (SELECT loader FROM marquee.loaders_replaced), 'marquee: this loader was replaced') = 0
    AND throwIf(empty(loader) IN (SELECT toUInt8(0) FROM system.databases WHERE startsWith(name, 'marquee_rebuild_')),
                'marquee: rollups are being rebuilt') = 0;
