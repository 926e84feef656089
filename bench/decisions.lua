-- wrk's requests: POST /v1/decisions for a page of PLACEMENTS slots, by students of many colleges; no two requests alike.
-- Environment: KEY (a write key), PLACEMENTS (default 1), DELAY_MS (pause of a connection before each request; default 0).
local placements = tonumber(os.getenv("PLACEMENTS") or "1")
local pause = tonumber(os.getenv("DELAY_MS") or "0")
local serial = 0

function init()
  wrk.method = "POST"
  wrk.path = "/v1/decisions"
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
end

function request()
  serial = serial + 1
  local slots = {}
  for i = 1, placements do slots[i] = string.format('{"slot_id":"slot-%d"}', i) end
  return wrk.format(nil, nil, nil, string.format(
    '{"placements":[%s],"page_id":"page-%d","query":"word-%d","user_id":"student-%d","college_id":"college-%d","program":"engineering",'
      .. '"year_of_study":%d,"consent":"full","age":20}',
    table.concat(slots, ","), serial % 30, serial * 31 % 500, serial * 7919 % 1000000, serial % 60, serial % 4 + 1))
end

function delay()
  return pause
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("WRK requests=%d duration_us=%d p50_us=%d p99_us=%d errors=%d not_2xx=%d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
