#include "profile_history.h"

#include <algorithm>
#include <string_view>

#include "marquee/base/json_text.h"
#include "marquee/clickhouse/row_binary.h"

namespace marquee::app {
namespace {

constexpr log::Offset kOffsetsOfQuery = 500'000;
constexpr std::int64_t kTimeoutMs = 10 * 60'000;

/// Most events of a store may be of who says no age: those before the first that does are not looked at in pieces.
constexpr std::string_view kFirst = R"(
SELECT min(log_offset), count()
FROM marquee.events
WHERE log_partition = {partition:UInt16} AND log_offset >= {begin:UInt64} AND log_offset < {end:UInt64}
  AND user_key != 0 AND NOT is_bot AND isNotNull(props.age.:Int64))";

/// What profiles look at. Of the props their two members, and only where they are of the right kind.
constexpr std::string_view kHistoryQuery = R"(
SELECT log_offset, site_id, session_id, seq, external_id, event_time, received_time, event_type, user_key, consent,
       page_id, page_path, campaign_id, ad_id, course_id, search_query,
       assumeNotNull(props.age.:Int64), ifNull(props.category.:String, '')
FROM marquee.events
WHERE log_partition = {partition:UInt16} AND log_offset >= {begin:UInt64} AND log_offset < {end:UInt64}
  AND user_key != 0 AND NOT is_bot AND isNotNull(props.age.:Int64)
ORDER BY log_offset)";

clickhouse::Parameters parameters(log::Partition partition, log::Range range) {
  return {{"partition", std::to_string(partition)},
          {"begin", std::to_string(range.begin)},
          {"end", std::to_string(range.end)}};
}

clickhouse::QueryOptions options() {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  options.timeout_ms = kTimeoutMs;
  return options;
}

Error cut_off() { return Error::retry("the store's answer was cut off"); }

/// One row of the query. Text borrows from the answer, and props from `props`.
bool read_row(clickhouse::RowBinaryReader& reader, log::Offset& offset, event::Event& event, std::string& props) {
  const auto number = [&]<class T>(T& value) {
    if (const auto read = reader.number<T>()) value = *read;
  };
  const auto text = [&](std::string_view& value) { value = reader.text().value_or(""); };
  std::uint8_t type = 0, consent = 0;
  std::int64_t age = 0;
  std::string_view category;
  number(offset);
  text(event.site_id);
  number(event.session_id);
  number(event.seq);
  text(event.external_id);
  number(event.event_time_ms);
  number(event.received_time_ms);
  number(type);
  number(event.user_key);
  number(consent);
  for (std::string_view* field :
       {&event.page_id, &event.page_path, &event.campaign_id, &event.ad_id, &event.course_id, &event.search_query})
    text(*field);
  number(age);
  text(category);
  event.type = static_cast<event::Type>(type);
  event.consent = static_cast<event::Consent>(consent);
  props.clear();
  JsonObject object(props);
  object.number("age", age).text("category", category).end();
  event.props = props;
  return !reader.failed();
}

}  // namespace

Result<log::Offset> ProfileHistory::first(log::Partition partition, log::Range range) {
  const auto body = store_.query(kFirst, parameters(partition, range), options());
  if (!body) return body.error();
  clickhouse::RowBinaryReader reader(*body);
  const auto offset = reader.number<std::uint64_t>(), count = reader.number<std::uint64_t>();
  if (!offset || !count) return cut_off();
  return *count > 0 ? *offset : range.end;
}

Result<void> ProfileHistory::read(log::Partition partition, log::Range range,
                                  const std::function<bool(log::Offset offset, const event::Event& event)>& on_event) {
  const auto from = first(partition, range);
  if (!from) return from.error();
  std::string props;
  for (log::Offset begin = *from; begin < range.end; begin += kOffsetsOfQuery) {
    const auto body = store_.query(
        kHistoryQuery, parameters(partition, {begin, std::min(begin + kOffsetsOfQuery, range.end)}), options());
    if (!body) return body.error();
    clickhouse::RowBinaryReader reader(*body);
    while (!reader.at_end()) {
      log::Offset offset = 0;
      event::Event event;
      if (!read_row(reader, offset, event, props)) return cut_off();
      if (!on_event(offset, event)) return {};
    }
  }
  return {};
}

}  // namespace marquee::app
