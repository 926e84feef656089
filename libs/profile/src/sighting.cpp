#include "sighting.h"

#include <algorithm>
#include <limits>

#include "decayed.h"

namespace marquee::profile {
namespace {

using event::Type;

constexpr std::uint32_t kClickAmount = 2;  ///< Asked for, where a view may be by the way.

template <class T>
void increase(T& count) {
  if (count < std::numeric_limits<T>::max()) ++count;
}

void see(ProfileRecord& record, Seconds time) {
  if (record.last_seen == 0) {
    record.first_seen = record.last_seen = time;
    record.day = static_cast<std::uint16_t>(time / kDayS);
    record.visits = 1;
    return;
  }
  record.first_seen = std::min(record.first_seen, time);
  if (time <= record.last_seen) return;
  if (time - record.last_seen > kVisitGapS) increase(record.visits);
  const auto today = static_cast<std::uint16_t>(time / kDayS);
  if (today != record.day) {
    // Counts fade by less than an octave a day, so that once a day is often enough.
    drop_faint_topics(record, time);
    const std::uint32_t passed = std::min<std::uint32_t>(today - record.day, kDays);
    for (std::uint32_t back = 0; back < passed; ++back) {
      record.impressions[(today - back) % kDays] = 0;
      record.clicks[(today - back) % kDays] = 0;
    }
    record.day = today;
  }
  record.last_seen = time;
}

void count_day(std::array<std::uint8_t, kDays>& ring, std::uint16_t last, Seconds time) {
  const std::uint32_t day = time / kDayS;
  if (day <= last && last - day < kDays) increase(ring[day % kDays]);
}

void take_in_ad(ProfileRecord& record, const event::Event& event, Seconds time, bool is_click) {
  Seconds& latest = is_click ? record.last_click : record.last_impression;
  latest = std::max(latest, time);
  increase(is_click ? record.clicks_in_all : record.impressions_in_all);
  count_day(is_click ? record.clicks : record.impressions, record.day, time);
  const auto add = [&](TopicKind kind, std::string_view id) {
    if (!id.empty()) add_topic(record, kind, topic_of(kind, id), time, 1);
  };
  add(is_click ? TopicKind::campaign_clicked : TopicKind::campaign_seen, event.campaign_id);
  add(is_click ? TopicKind::ad_clicked : TopicKind::ad_seen, event.ad_id);
}

}  // namespace

Seconds time_of(const event::Event& event) {
  const std::int64_t ms =
      event.received_time_ms == 0 ? event.event_time_ms : std::min(event.event_time_ms, event.received_time_ms);
  return static_cast<Seconds>(std::clamp<std::int64_t>(ms / 1'000, 1, UINT32_MAX));
}

void take_in(ProfileRecord& record, const event::Event& event, const EventProps& props) {
  const Seconds time = time_of(event);
  see(record, time);
  const auto add = [&](TopicKind kind, std::string_view text, std::uint32_t amount) {
    if (!text.empty()) add_topic(record, kind, topic_of(kind, text), time, amount);
  };
  switch (event.type) {
    case Type::page_view:
      add(TopicKind::page, event.page_id.empty() ? event.page_path : event.page_id, 1);
      break;
    case Type::search:
      for_each_word(event.search_query, [&](std::string_view word) { add(TopicKind::search_word, word, 1); });
      break;
    case Type::course_view:
    case Type::course_click: {
      const std::uint32_t amount = event.type == Type::course_click ? kClickAmount : 1;
      add(TopicKind::course, event.course_id, amount);
      add(TopicKind::category, props.category, amount);
      break;
    }
    case Type::impression:
    case Type::click:
      if (!event.ad_id.empty() || !event.campaign_id.empty())
        take_in_ad(record, event, time, event.type == Type::click);
      if (event.type == Type::click) add(TopicKind::category, props.category, kClickAmount);
      break;
    default:
      break;
  }
}

}  // namespace marquee::profile
