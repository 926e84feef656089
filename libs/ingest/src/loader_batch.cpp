#include "loader_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "marquee/log/erasable.h"

namespace marquee::ingest {
namespace {

constexpr std::int64_t kMillisPerDay = 86'400'000;
constexpr const char* kNameType = "LowCardinality(String)";
constexpr const char* kTimeType = "DateTime64(3, 'UTC')";
constexpr const char* kType =
    "Enum8('page_view' = 1, 'page_leave' = 2, 'impression' = 3, 'viewable_impression' = 4, 'hover' = 5, 'click' = 6, "
    "'scroll' = 7, 'search' = 8, 'course_view' = 9, 'course_click' = 10, 'conversion' = 11, 'exposure' = 12, "
    "'custom' = 13)";
constexpr const char* kConsent = "Enum8('unknown' = 0, 'denied' = 1, 'contextual' = 2, 'full' = 3)";

/// FNV-1a of 64 bits: the same in every version of this program, which may complete what another began.
std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x0000'0100'0000'01B3;
  return hash;
}

}  // namespace

Day day_of(std::int64_t event_time_ms) {
  const std::int64_t day = event_time_ms < 0 ? 0 : event_time_ms / kMillisPerDay;
  return static_cast<Day>(std::min<std::int64_t>(day, std::numeric_limits<Day>::max()));
}

std::string partition_id(Day day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

std::vector<std::string> partition_ids(const std::set<Day>& days) {
  std::vector<std::string> ids;
  ids.reserve(days.size());
  for (const Day day : days) ids.push_back(partition_id(day));
  return ids;
}

std::string loader_name(std::uint64_t token) { return fmt::format("{:016x}", token); }

EventBlock::EventBlock()
    : site_id_(block_.add<Name>("site_id", kNameType)),
      session_id_(block_.add<Number<std::uint64_t>>("session_id", "UInt64")),
      seq_(block_.add<Number<std::uint32_t>>("seq", "UInt32")),
      external_id_(block_.add<Text>("external_id", "String")),
      event_time_(block_.add<Number<std::int64_t>>("event_time", kTimeType)),
      received_time_(block_.add<Number<std::int64_t>>("received_time", kTimeType)),
      event_type_(block_.add<Number<std::uint8_t>>("event_type", kType)),
      user_key_(block_.add<Number<std::uint64_t>>("user_key", "UInt64")),
      college_id_(block_.add<Name>("college_id", kNameType)),
      program_(block_.add<Name>("program", kNameType)),
      year_of_study_(block_.add<Number<std::uint8_t>>("year_of_study", "UInt8")),
      city_(block_.add<Name>("city", kNameType)),
      device_(block_.add<Name>("device", kNameType)),
      os_(block_.add<Name>("os", kNameType)),
      browser_(block_.add<Name>("browser", kNameType)),
      is_bot_(block_.add<Number<std::uint8_t>>("is_bot", "Bool")),
      consent_(block_.add<Number<std::uint8_t>>("consent", kConsent)),
      page_id_(block_.add<Name>("page_id", kNameType)),
      page_path_(block_.add<Text>("page_path", "String")),
      referrer_host_(block_.add<Name>("referrer_host", kNameType)),
      slot_id_(block_.add<Name>("slot_id", kNameType)),
      position_(block_.add<Number<std::uint8_t>>("position", "UInt8")),
      viewport_width_(block_.add<Number<std::uint16_t>>("viewport_width", "UInt16")),
      viewport_height_(block_.add<Number<std::uint16_t>>("viewport_height", "UInt16")),
      scroll_depth_(block_.add<Number<std::uint16_t>>("scroll_depth", "UInt16")),
      slot_x_(block_.add<Number<std::uint16_t>>("slot_x", "UInt16")),
      slot_y_(block_.add<Number<std::uint16_t>>("slot_y", "UInt16")),
      page_x_(block_.add<Number<std::uint16_t>>("page_x", "UInt16")),
      page_y_(block_.add<Number<std::uint16_t>>("page_y", "UInt16")),
      campaign_id_(block_.add<Name>("campaign_id", kNameType)),
      ad_id_(block_.add<Name>("ad_id", kNameType)),
      decision_id_(block_.add<Text>("decision_id", "String")),
      course_id_(block_.add<Name>("course_id", kNameType)),
      search_query_(block_.add<Text>("search_query", "String")),
      results_count_(block_.add<Number<std::int32_t>>("results_count", "Int32")),
      dwell_ms_(block_.add<Number<std::uint32_t>>("dwell_ms", "UInt32")),
      visible_ms_(block_.add<Number<std::uint32_t>>("visible_ms", "UInt32")),
      value_(block_.add<Number<double>>("value", "Float64")),
      propensity_(block_.add<Number<float>>("propensity", "Float32")),
      policy_(block_.add<Name>("policy", kNameType)),
      props_(block_.add<Text>("props", "String")),
      log_partition_(block_.add<Number<std::uint16_t>>("log_partition", "UInt16")),
      log_offset_(block_.add<Number<std::uint64_t>>("log_offset", "UInt64")),
      loader_(block_.add<Name>("loader", kNameType)) {}

void EventBlock::append(const event::Event& event, log::Partition partition, log::Offset offset) {
  site_id_.append(event.site_id);
  session_id_.append(event.session_id);
  seq_.append(event.seq);
  external_id_.append(event.external_id);
  event_time_.append(event.event_time_ms);
  received_time_.append(event.received_time_ms);
  event_type_.append(static_cast<std::uint8_t>(event.type));
  user_key_.append(event.user_key);
  college_id_.append(event.college_id);
  program_.append(event.program);
  year_of_study_.append(event.year_of_study);
  city_.append(event.city);
  device_.append(event.device);
  os_.append(event.os);
  browser_.append(event.browser);
  is_bot_.append(event.is_bot ? 1 : 0);
  consent_.append(static_cast<std::uint8_t>(event.consent));
  page_id_.append(event.page_id);
  page_path_.append(event.page_path);
  referrer_host_.append(event.referrer_host);
  slot_id_.append(event.slot_id);
  position_.append(event.position);
  viewport_width_.append(event.viewport_width);
  viewport_height_.append(event.viewport_height);
  scroll_depth_.append(event.scroll_depth);
  slot_x_.append(event.slot_x);
  slot_y_.append(event.slot_y);
  page_x_.append(event.page_x);
  page_y_.append(event.page_y);
  campaign_id_.append(event.campaign_id);
  ad_id_.append(event.ad_id);
  decision_id_.append(event.decision_id);
  course_id_.append(event.course_id);
  search_query_.append(event.search_query);
  results_count_.append(event.results_count);
  dwell_ms_.append(event.dwell_ms);
  visible_ms_.append(event.visible_ms);
  value_.append(event.value);
  propensity_.append(event.propensity);
  policy_.append(event.policy);
  props_.append(event.props);
  log_partition_.append(static_cast<std::uint16_t>(partition));
  log_offset_.append(offset);
}

void EventBlock::set_loader(std::uint64_t loader) { loader_.fill(rows(), loader_name(loader)); }

void LoadBatch::reset(log::Offset begin) {
  range_ = {begin, begin};
  record_bytes_ = 0;
  block_.clear();
  rows_.clear();
  dead_letters_.clear();
  repeats_.clear();
  refused_.clear();
  known_letters_.clear();
  days_.clear();
  oldest_received_ms_ = std::numeric_limits<std::int64_t>::max();
  newest_received_ms_ = 0;
  fingerprint_ = 0;
  body_.clear();
}

void LoadBatch::append(const log::Records& records, event::IdentityWindow& window) {
  range_.end = records.first;  // Beyond the last where the log has a gap.
  for (std::size_t i = 0; i < records.records.size(); ++i) append_record(records.records[i], records.first + i, window);
  range_.end = records.first + records.records.size();
}

const KnownLetter* LoadBatch::known_letter(std::string_view record, log::Offset offset) const {
  const auto [begin, end] = known_letters_.equal_range(offset);
  if (begin == end) return nullptr;
  const auto same = std::find_if(
      begin, end, [hash = bytes_hash(record)](const auto& known) { return known.second.bytes_hash == hash; });
  return same == end ? nullptr : &same->second;
}

void LoadBatch::append_record(std::string_view record, log::Offset offset, event::IdentityWindow& window) {
  if (log::is_erased(record)) return;
  if (record_bytes_ == 0) fingerprint_ = fnv1a(record);
  record_bytes_ += record.size();
  if (const KnownLetter* letter = known_letter(record, offset)) {
    dead_letters_.push_back({{}, partition_, offset, letter->reason, std::string(record)});
    return;
  }
  const auto event = event::decode(record);
  const auto checked = event ? event::check(*event) : Result<void>(event.error());
  if (!checked) {
    dead_letters_.push_back({{}, partition_, offset, checked.error().message, std::string(record)});
    return;
  }
  const std::uint64_t identity = event::identity(*event);
  // Without seq and external_id there is nothing to know a repeat by: each such event is taken as its own.
  const bool is_named = event->seq != 0 || !event->external_id.empty();
  if (is_named && !window.insert(identity)) {
    repeats_.push_back({offset, identity});
    return;
  }
  block_.append(*event, partition_, offset);
  rows_.push_back({offset, identity});
  // Neighbours are mostly of one day, so the set is asked only where the day changes.
  const Day day = day_of(event->event_time_ms);
  if (days_.empty() || *days_.rbegin() != day) days_.insert(day);
  oldest_received_ms_ = std::min(oldest_received_ms_, event->received_time_ms);
  newest_received_ms_ = std::max(newest_received_ms_, event->received_time_ms);
}

void LoadBatch::seal(std::uint64_t loader) {
  loader_ = loader;
  body_.clear();
  if (block_.rows() == 0) return;
  block_.set_loader(loader);
  block_.native().write(body_);
}

}  // namespace marquee::ingest
