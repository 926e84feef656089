#include "version_log.h"

#include <fmt/format.h>

#include <charconv>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>

#include "marquee/base/logging.h"

namespace marquee::serving {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kVersionRecords = 1'000, kVersionBytes = std::size_t{1} << 20;

Json cut_json(const LogCut& cut) { return {{"events", cut.events}, {"decisions", cut.decisions}}; }

LogCut cut_of(const Json& json) {
  return {.events = json.at("events").get<std::vector<log::Offset>>(),
          .decisions = json.at("decisions").get<std::vector<log::Offset>>()};
}

/// A hash is text: a reader of JSON may take numbers for doubles.
std::string text_of(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

std::uint64_t hash_in(const Json& json) {
  const auto text = json.get<std::string>();
  std::uint64_t hash = 0;
  std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  return hash;
}

Round round_of(const Json& json) {
  Round round{
      .cut = cut_of(json.at("until")), .at_ms = json.at("time_ms"), .version = json.at("version"), .quality = {}};
  if (const auto begin = json.find("begin"); begin != json.end()) {
    round.is_begin = true;
    round.base = hash_in(begin->at("base"));
    round.recall = cut_of(begin->at("recall"));
  }
  if (json.contains("hash")) {
    round.is_published = true;
    round.hash = hash_in(json.at("hash"));
    round.examples = json.at("examples");
    round.quality.examples = json.at("recent_impressions");
    round.quality.clicks = json.at("recent_clicks");
    round.quality.calibration = json.at("calibration");
    round.quality.normalized_entropy = json.at("normalized_entropy");
  }
  if (const auto left = json.find("rolled_back"); left != json.end())
    round.left = LeftVersion{.from = left->at("from"),
                             .to = left->at("to"),
                             .examples = left->at("impressions"),
                             .worse_by = left->at("worse_by"),
                             .sure_of = left->at("worse_by_at_least"),
                             .left_entropy = left->at("normalized_entropy"),
                             .taken_entropy = left->at("normalized_entropy_before")};
  return round;
}

}  // namespace

std::string write_round(const Round& round) {
  Json json = {{"version", round.version}, {"time_ms", round.at_ms}, {"until", cut_json(round.cut)}};
  if (round.is_begin) json["begin"] = {{"base", text_of(round.base)}, {"recall", cut_json(round.recall)}};
  if (round.is_published) {
    json["hash"] = text_of(round.hash);
    json["examples"] = round.examples;
    json["recent_impressions"] = round.quality.examples;
    json["recent_clicks"] = round.quality.clicks;
    json["calibration"] = round.quality.calibration;
    json["normalized_entropy"] = round.quality.normalized_entropy;
  }
  if (round.left)
    json["rolled_back"] = {{"from", round.left->from},
                           {"to", round.left->to},
                           {"impressions", round.left->examples},
                           {"worse_by", round.left->worse_by},
                           {"worse_by_at_least", round.left->sure_of},
                           {"normalized_entropy", round.left->left_entropy},
                           {"normalized_entropy_before", round.left->taken_entropy}};
  return json.dump();
}

Result<Round> read_round(std::string_view record) {
  try {
    return round_of(Json::parse(record));
  } catch (const nlohmann::json::exception& e) {
    return Error::give_up(fmt::format("a record of the log of versions is damaged: {}", e.what()));
  }
}

Result<void> VersionLog::append(const Round& round) {
  std::vector<log::Batch> batches;
  batches.emplace_back(0).add(write_round(round));
  auto done = std::make_shared<std::promise<Result<void>>>();
  auto durable = done->get_future();
  log_.append(std::move(batches), [done](Result<void> result) { done->set_value(std::move(result)); });
  return durable.get();
}

Result<std::vector<Round>> VersionLog::read(log::Offset from) const {
  std::vector<Round> rounds;
  const auto records = log_.read(0, from, kVersionRecords, kVersionBytes);
  if (!records) return records.error();
  for (const auto record : records->records) {
    auto round = read_round(record);
    if (!round) return round.error();
    rounds.push_back(std::move(*round));
  }
  return rounds;
}

Result<std::optional<std::pair<Round, log::Offset>>> VersionLog::last_beginning() const {
  std::optional<std::pair<Round, log::Offset>> last;
  for (auto at = begin(); at < end();) {
    const auto rounds = read(at);
    if (!rounds) return rounds.error();
    for (const auto& round : *rounds) {
      if (round.is_begin) last.emplace(round, at);
      ++at;
    }
  }
  return last;
}

void VersionLog::release(log::Offset before) {
  if (auto released = log_.confirm(0, before); !released)
    logging::warn("serving.versions_not_released", {{"error", released.error().message}});
}

}  // namespace marquee::serving
