#include "marquee/privacy/export.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/base64.h"
#include "marquee/base/time.h"
#include "marquee/catalog/erasure_book.h"
#include "marquee/clickhouse/row_binary.h"
#include "marquee/event/event.h"

namespace marquee::privacy {
namespace {

using Json = nlohmann::ordered_json;
using profile::TopicKind;

using Names = std::map<std::pair<TopicKind, profile::Topic>, std::string>;

constexpr double kLeastWeight = 0.01;  ///< Less is as good as forgotten.

std::string utc(std::int64_t ms) {
  const auto time = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms));
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", std::chrono::floor<std::chrono::seconds>(time), ms % 1'000);
}

clickhouse::QueryOptions json_rows() {
  return {.settings = {{"output_format_json_quote_64bit_integers", "1"},
                       {"date_time_output_format", "iso"},
                       {"max_execution_time", "0"}},
          .format = "JSONEachRow",
          .timeout_ms = 0,
          .replica = 0};
}

/// What was not given is not told: "", 0, false, -1 results, positions of 65535.
bool is_absent(const std::string& name, const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) {
    const auto number = value.get<double>();
    return number == 0 || (name == "results_count" && number == -1) || number == 65'535;
  }
  return value.is_null() || ((value.is_object() || value.is_array()) && value.empty());
}

Result<Json> rows_of(clickhouse::Client& store, std::string_view sql, const Person& person) {
  const auto body = store.query(
      sql, {{"site", clickhouse::escape_parameter(person.site_id)}, {"user", fmt::format("{}", person.user_key)}},
      json_rows());
  if (!body) return body.error();
  Json all = Json::array();
  for (std::size_t begin = 0; begin < body->size();) {
    const auto end = std::min(body->find('\n', begin), body->size());
    auto row = Json::parse(body->substr(begin, end - begin), nullptr, /*allow_exceptions=*/false);
    begin = end + 1;
    if (!row.is_object()) return Error::retry("the store's answer was cut off");
    Json told = Json::object();
    for (const auto& [name, value] : row.items())
      if (!is_absent(name, value)) told[name] = value;
    all.push_back(std::move(told));
  }
  return all;
}

void add_name(Names& names, TopicKind kind, const std::string& text) {
  if (!text.empty()) names.try_emplace({kind, profile::topic_of(kind, text)}, text);
}

/// The words that a profile's topics may be of.
Names names_in(const Json& events) {
  Names names;
  for (const auto& event : events) {
    const auto text = [&](const char* member) { return event.value(member, std::string()); };
    profile::for_each_word(text("search_query"),
                           [&](std::string_view word) { add_name(names, TopicKind::search_word, std::string(word)); });
    add_name(names, TopicKind::course, text("course_id"));
    add_name(names, TopicKind::page, text("page_id"));
    for (const auto kind : {TopicKind::campaign_seen, TopicKind::campaign_clicked})
      add_name(names, kind, text("campaign_id"));
    for (const auto kind : {TopicKind::ad_seen, TopicKind::ad_clicked}) add_name(names, kind, text("ad_id"));
    if (const auto props = event.find("props"); props != event.end() && props->is_object())
      if (const auto category = props->find("category"); category != props->end() && category->is_string())
        add_name(names, TopicKind::category, category->get<std::string>());
  }
  return names;
}

Json profile_json(const profile::Profile& profile, const Names& names) {
  constexpr std::array<std::pair<const char*, TopicKind>, profile::kTopicKinds> kKinds = {
      {{"words", TopicKind::search_word},
       {"courses", TopicKind::course},
       {"categories", TopicKind::category},
       {"pages", TopicKind::page},
       {"campaigns_seen", TopicKind::campaign_seen},
       {"campaigns_clicked", TopicKind::campaign_clicked},
       {"ads_seen", TopicKind::ad_seen},
       {"ads_clicked", TopicKind::ad_clicked}}};
  const auto time = [](profile::Seconds seconds) {
    return seconds == 0 ? Json(nullptr) : Json(utc(static_cast<std::int64_t>(seconds) * 1'000));
  };
  Json all = {{"first_seen", time(profile.first_seen())},
              {"last_seen", time(profile.last_seen())},
              {"last_impression", time(profile.last_impression())},
              {"last_click", time(profile.last_click())},
              {"visits", profile.visits()},
              {"impressions", profile.impressions()},
              {"clicks", profile.clicks()}};
  for (const auto& [title, kind] : kKinds) {
    Json list = Json::array();
    for (const auto& one : profile.interests(kind, profile.last_seen())) {
      if (one.weight < kLeastWeight) continue;
      const auto found = names.find({kind, one.topic});
      list.push_back({{"name", found == names.end() ? Json(nullptr) : Json(found->second)},
                      {"weight", std::round(one.weight * 100) / 100}});
    }
    all[title] = std::move(list);
  }
  return all;
}

Result<Json> segments_json(clickhouse::Client& store, catalog::Catalog& catalog, const Person& person) {
  const auto kept = catalog.segments(person.site_id);
  if (!kept) return kept.error();
  const auto versions = store.table(
      "SELECT toString(version) FROM marquee.segment_users WHERE site_id = {site:String} AND user_key = "
      "{user:UInt64}",
      {{"site", clickhouse::escape_parameter(person.site_id)}, {"user", fmt::format("{}", person.user_key)}},
      {.timeout_ms = 0, .replica = 0});
  if (!versions) return versions.error();
  Json all = Json::array();
  for (const auto& segment : *kept)
    if (std::ranges::find(versions->rows, std::vector{fmt::format("{}", segment.version)}) != versions->rows.end())
      all.push_back({{"id", segment.id}, {"title", segment.title}, {"since_look_of", utc(segment.refreshed_ms)}});
  return all;
}

Result<Json> letters_json(clickhouse::Client& store, const KnownPlaces& places, const Person& person) {
  const auto body =
      store.query("SELECT toUnixTimestamp64Milli(received_time), reason, bytes FROM marquee.dead_letters FINAL", {},
                  {.format = "RowBinary", .timeout_ms = 0, .replica = 0});
  if (!body) return body.error();
  Json all = Json::array();
  clickhouse::RowBinaryReader reader(*body);
  while (!reader.at_end()) {
    const auto time = reader.number<std::int64_t>();
    const auto reason = reader.text();
    const auto bytes = reader.text();
    if (!time || !reason || !bytes) return Error::retry("the store's answer was cut off");
    if (!is_letter_of(*bytes, person, places.hash_user)) continue;
    Json letter = {{"received_time", utc(*time)}, {"reason", *reason}};
    const auto event = event::decode(*bytes);
    const auto text = event ? event::to_json(*event) : Result<std::string>(event.error());
    const auto json = text ? Json::parse(*text, nullptr, /*allow_exceptions=*/false) : Json();
    if (json.is_object())
      letter["event"] = json;
    else
      letter["bytes_base64"] = encode_base64(*bytes);
    all.push_back(std::move(letter));
  }
  return all;
}

Result<Json> erasures_json(catalog::Catalog& catalog, const Person& person) {
  const auto open = catalog::ErasureBook(catalog).open();
  if (!open) return open.error();
  Json all = Json::array();
  for (const auto& one : *open)
    if (one.user_key == person.user_key && one.site_id == person.site_id)
      all.push_back({{"id", one.id}, {"asked_time", utc(one.asked_ms)}, {"state", "running"}});
  return all;
}

}  // namespace

Result<std::string> export_user(clickhouse::Client& store, catalog::Catalog& catalog, const KnownPlaces& places,
                                const Person& person) {
  Json all = {{"site", person.site_id},
              {"exported_time", utc(SystemClock().now().time_since_epoch().count())},
              {"user_key", fmt::format("{:016x}", person.user_key)}};
  auto events = rows_of(store,
                        "SELECT * EXCEPT (site_id, user_key, log_partition, log_offset) FROM marquee.events WHERE "
                        "site_id = {site:String} AND user_key = {user:UInt64} ORDER BY event_time, session_id, seq",
                        person);
  if (!events) return events.error();
  const auto names = names_in(*events);
  all["events"] = std::move(*events);
  const auto profile = places.profile ? places.profile(person) : std::nullopt;
  all["profile"] = profile ? profile_json(*profile, names) : Json(nullptr);
  auto segments = segments_json(store, catalog, person);
  if (!segments) return segments.error();
  all["segments"] = std::move(*segments);
  const std::pair<const char*, std::string_view> listed[] = {
      {"interests_by_day",
       "SELECT day, feature, value, sum(count) AS count FROM marquee.user_features WHERE site_id = {site:String} AND "
       "user_key = {user:UInt64} GROUP BY day, feature, value ORDER BY day, feature, value"},
      {"decisions",
       "SELECT decision_id, decision_time, placement, slot_id, position, campaign_id, ad_id, because, policy, "
       "propensity, context, candidate_ads FROM marquee.decisions FINAL WHERE site_id = {site:String} AND user_key = "
       "{user:UInt64} ORDER BY decision_time, decision_id, placement"}};
  for (const auto& [title, sql] : listed) {
    auto rows = rows_of(store, sql, person);
    if (!rows) return rows.error();
    all[title] = std::move(*rows);
  }
  auto letters = letters_json(store, places, person);
  if (!letters) return letters.error();
  all["not_loaded"] = std::move(*letters);
  auto erasures = erasures_json(catalog, person);
  if (!erasures) return erasures.error();
  all["erasures"] = std::move(*erasures);
  return all.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace marquee::privacy
