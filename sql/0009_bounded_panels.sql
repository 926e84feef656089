-- Sums that dashboards ask for over a month, kept beside the rows they are of (projections): campaign_minute and campaign_hour grow with the
-- events, these with campaigns, colleges and time alone. The store reads them by itself where a question's columns and sums are in them, and
-- the rows of parts that do not have them yet. The rollups' SELECTs stay as they are, so that nothing is counted anew.

-- Merges make them; an insert would be slower by a part more in each table.
ALTER TABLE marquee.campaign_minute
    MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', materialize_projections_on_insert = 0, materialize_projections_on_merge = 1;
ALTER TABLE marquee.campaign_hour
    MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', materialize_projections_on_insert = 0, materialize_projections_on_merge = 1;

ALTER TABLE marquee.campaign_minute ADD PROJECTION IF NOT EXISTS by_campaign
(
    SELECT
        site_id, time, campaign_id, is_bot,
        sum(impressions), sum(viewable_impressions), sum(hovers), sum(clicks), sum(conversions), sum(dwell_ms), sum(visible_ms),
        maxIf(time, impressions > 0)
    GROUP BY site_id, time, campaign_id, is_bot
);
ALTER TABLE marquee.campaign_hour ADD PROJECTION IF NOT EXISTS by_college
(
    SELECT
        site_id, time, campaign_id, college_id, is_bot,
        sum(impressions), sum(viewable_impressions), sum(hovers), sum(clicks), sum(conversions), sum(dwell_ms), sum(visible_ms)
    GROUP BY site_id, time, campaign_id, college_id, is_bot
);

-- Of what has landed before: in the background, while everything goes on.
ALTER TABLE marquee.campaign_minute MATERIALIZE PROJECTION by_campaign;
ALTER TABLE marquee.campaign_hour MATERIALIZE PROJECTION by_college;
