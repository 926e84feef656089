-- The sessions of users without key, each in one piece: such events stand in order of time, so a share of their sessions could only be found by
-- looking at each of them. The store reads this by itself where a question is of `user_key = 0` and of these columns alone. The rest (props, and
-- what only single events are asked for) is read from the events.

-- Made with each insert: parts with and without a projection never merge with each other, and a day's parts shall become one.
ALTER TABLE marquee.events
    MODIFY SETTING materialize_projections_on_insert = 1, materialize_projections_on_merge = 1, lightweight_mutation_projection_mode = 'rebuild';

ALTER TABLE marquee.events ADD PROJECTION IF NOT EXISTS keyless_sessions
(
    SELECT
        site_id, user_key, session_id, event_time, seq, event_type, is_bot, college_id, program, year_of_study, city, device, page_id,
        slot_id, position, campaign_id, ad_id, course_id, search_query, results_count
    WHERE user_key = 0
    ORDER BY site_id, user_key, session_id
);

-- Of what has landed before: in the background, while everything goes on.
ALTER TABLE marquee.events MATERIALIZE PROJECTION keyless_sessions;
