-- wrk's requests: POST /v1/events with `EVENTS` impressions, clicks, scrolls of a campus page; no two requests alike.
-- Environment: EVENTS (a request; default 1), DELAY_MS (pause of a connection before each request; default 0).
local count = tonumber(os.getenv("EVENTS") or "1")
local pause = tonumber(os.getenv("DELAY_MS") or "0")
local types = { "impression", "viewable_impression", "hover", "click", "scroll", "page_view" }
local serial = 0
local tag = ""

function setup(thread)
  serial = serial + 1
  thread:set("thread_number", serial)
end

function init()
  -- The time tells this run's sessions from those of the run before on the same log.
  tag = string.format("%d-%d-", os.time(), thread_number or 0)
  wrk.method = "POST"
  wrk.path = "/v1/events"
  wrk.headers["Authorization"] = "Bearer mk_bench"
  wrk.headers["Content-Type"] = "application/json"
end

local function event(session, seq)
  local ad = (serial * 7 + seq) % 200
  return string.format(
    '{"type":"%s","session_id":"%s%d","seq":%d,"event_time":%d,"user_id":"student-%d","college_id":"college-%d","program":"engineering",'
      .. '"year_of_study":%d,"page_id":"home","page_path":"/courses/%d","slot_id":"feed","position":%d,"campaign_id":"campaign-%d",'
      .. '"ad_id":"ad-%d","x":%d,"y":%d,"viewport":{"width":390,"height":844},"propensity":0.05,"policy":"uniform"}',
    types[seq % #types + 1], tag, session, seq, os.time() * 1000, session % 20000, session % 60, session % 4 + 1, ad * 13,
    seq % 6 + 1, ad % 40, ad, ad * 50, (ad * 31) % 10000)
end

function request()
  serial = serial + 1
  if count == 1 then return wrk.format(nil, nil, nil, "[" .. event(serial, 1) .. "]") end
  local events = {}
  for seq = 1, count do events[seq] = event(serial, seq) end
  return wrk.format(nil, nil, nil, "[" .. table.concat(events, ",") .. "]")
end

if pause > 0 then
  function delay() return pause end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("WRK requests=%d duration_us=%d p50_us=%d p99_us=%d errors=%d not_2xx=%d bytes=%d\n", summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status, summary.bytes))
end
