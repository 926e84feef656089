#include "topic_texts.h"

#include <iterator>
#include <string_view>

#include "marquee/clickhouse/row_binary.h"

namespace marquee::app {
namespace {

using profile::TopicKind;

/// Of users who may have a profile. Numbers of kinds are those of the columns below.
constexpr std::string_view kTextsQuery = R"(
SELECT kind, text
FROM
(
    SELECT user_key,
           arrayJoin(arrayConcat(
               [(0, ifNull(props.category.:String, '')), (1, toString(course_id))],
               arrayMap(word -> (2, word), arraySlice(tokens(lower(search_query)), 1, 8)))) AS one,
           toUInt8(one.1) AS kind, one.2 AS text
    FROM marquee.events
    WHERE event_time >= now() - INTERVAL 7 DAY AND event_type IN ('search', 'course_view', 'course_click', 'click')
      AND consent = 'full' AND user_key != 0 AND NOT is_bot AND isNotNull(props.age.:Int64)
)
WHERE text != ''
GROUP BY kind, text
HAVING uniq(user_key) >= 5
ORDER BY uniq(user_key) DESC
LIMIT 2000 BY kind)";
constexpr TopicKind kTextKinds[] = {TopicKind::category, TopicKind::course, TopicKind::search_word};

std::uint64_t key_of(TopicKind kind, profile::Topic topic) { return static_cast<std::uint64_t>(kind) << 32 | topic; }

}  // namespace

Result<TopicTexts> TopicTexts::read(clickhouse::Client& store) {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  // Of a store of very many events a part tells the names, too.
  options.settings = {{"max_execution_time", "20"}, {"timeout_overflow_mode", "break"}};
  const auto body = store.query(kTextsQuery, {}, options);
  if (!body) return body.error();
  TopicTexts texts;
  clickhouse::RowBinaryReader reader(*body);
  while (!reader.at_end()) {
    const auto number = reader.number<std::uint8_t>();
    const auto text = reader.text();
    if (!number || !text || *number >= std::size(kTextKinds)) return Error::retry("the store's answer was cut off");
    const TopicKind kind = kTextKinds[*number];
    texts.texts_.try_emplace(key_of(kind, profile::topic_of(kind, *text)), *text);
  }
  return texts;
}

std::string TopicTexts::find(profile::TopicKind kind, profile::Topic topic) const {
  const auto found = texts_.find(key_of(kind, topic));
  return found == texts_.end() ? std::string() : found->second;
}

}  // namespace marquee::app
