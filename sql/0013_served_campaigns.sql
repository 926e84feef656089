-- What else the click model knows of the ad that was chosen: history alone, without the catalog as it was then, teaches the
-- same. Empty in rows that were written before this.
ALTER TABLE marquee.decisions
    ADD COLUMN IF NOT EXISTS category LowCardinality(String) CODEC(ZSTD(1)) AFTER campaign_id,
    ADD COLUMN IF NOT EXISTS advertiser LowCardinality(String) CODEC(ZSTD(1)) AFTER category;
