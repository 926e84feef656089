-- A decision names the candidates whose chance differs, and counts the others, which have one chance each:
-- sum(candidate_propensities) + others * others_propensity is 1. Which ads the others were, others_rows tells: bit i % 64
-- of word i / 64 (from 0) stands for ads[i + 1] of the inventory. Of at most 32 candidates all are named. Of rows that were
-- written before this, too, and theirs have no others.
-- turn: placements are filled in this order, from 1 (0: as they stand); a propensity is given what was chosen in the turns
-- before.
-- price_micros: what an impression (a thousand of them) or a click of the ad costs. candidate_values: by what candidates
-- stood against each other in an auction; empty where there was none.
ALTER TABLE marquee.decisions
    ADD COLUMN IF NOT EXISTS turn UInt8 CODEC(ZSTD(1)) AFTER is_bound,
    ADD COLUMN IF NOT EXISTS price_micros Int64 CODEC(ZSTD(1)) AFTER turn,
    ADD COLUMN IF NOT EXISTS candidate_values Array(Float32) CODEC(ZSTD(1)) AFTER candidate_scores,
    ADD COLUMN IF NOT EXISTS others UInt32 CODEC(ZSTD(1)) AFTER candidate_propensities,
    ADD COLUMN IF NOT EXISTS others_propensity Float32 CODEC(ZSTD(1)) AFTER others,
    ADD COLUMN IF NOT EXISTS inventory UInt64 CODEC(ZSTD(1)) AFTER others_propensity,
    ADD COLUMN IF NOT EXISTS others_rows Array(UInt64) CODEC(ZSTD(1)) AFTER inventory;

-- The ads that a site could serve, in the order in which decisions count them; `inventory` is a hash of that. Each process
-- writes a list before the first decision that refers to it.
CREATE TABLE IF NOT EXISTS marquee.inventories
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    inventory UInt64 CODEC(ZSTD(1)),
    ads Array(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (site_id, inventory);

-- Every candidate of every placement that has an ad, by name.
CREATE VIEW IF NOT EXISTS marquee.decision_candidates AS
SELECT
    site_id,
    decision_id,
    placement,
    decision_time,
    candidate.1 AS ad_id,
    candidate.2 AS propensity
FROM
(
    SELECT
        site_id,
        decision_id,
        placement,
        decision_time,
        arrayFlatten(arrayMap((word, i) -> arrayMap(bit -> 64 * (i - 1) + bit + 1, bitPositionsToArray(word)),
            others_rows, arrayEnumerate(others_rows))) AS rows,
        arrayJoin(arrayConcat(
            arrayZip(CAST(candidate_ads, 'Array(String)'), candidate_propensities),
            arrayMap(row -> (named.ads[row], others_propensity), rows))) AS candidate
    FROM marquee.decisions AS decided FINAL
    LEFT JOIN (SELECT DISTINCT site_id, inventory, ads FROM marquee.inventories) AS named USING (site_id, inventory)
);
