-- What was decided, and what could have been: a row for each placement of each decision, so that any other policy can be
-- judged by it. The decisions' own log is carried here at least once; a row that comes again replaces itself, so read it
-- with FINAL. Impressions and clicks are events, and name the decision.
-- propensity: the chance that the ad had, given what was chosen for the placements before it on the same page.
-- because: chosen, or why there is no ad. context: what targeting could look at; who the user is only with permission.
CREATE TABLE IF NOT EXISTS marquee.decisions
(
    site_id LowCardinality(String) CODEC(ZSTD(1)),
    decision_id String CODEC(ZSTD(1)),
    placement UInt8 CODEC(ZSTD(1)),
    decision_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    user_key UInt64 CODEC(ZSTD(1)),
    policy LowCardinality(String) CODEC(ZSTD(1)),
    inventory_version Int64 CODEC(ZSTD(1)),
    slot_id LowCardinality(String) CODEC(ZSTD(1)),
    position UInt8 CODEC(ZSTD(1)),
    campaign_id LowCardinality(String) CODEC(ZSTD(1)),
    ad_id LowCardinality(String) CODEC(ZSTD(1)),
    because LowCardinality(String) CODEC(ZSTD(1)),
    propensity Float32 CODEC(ZSTD(1)),
    is_bound Bool CODEC(ZSTD(1)),
    context Map(LowCardinality(String), Array(String)) CODEC(ZSTD(1)),
    candidate_ads Array(LowCardinality(String)) CODEC(ZSTD(1)),
    candidate_scores Array(Float32) CODEC(ZSTD(1)),
    candidate_propensities Array(Float32) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(decision_time)
ORDER BY (site_id, decision_time, decision_id, placement);
