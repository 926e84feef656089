#include "marquee/api/pipeline_json.h"

#include <fmt/format.h>

#include <array>

#include "answers.h"
#include "marquee/event/timestamp.h"

namespace marquee::api {
namespace {

using ingest::PartitionState;

constexpr std::array kStates = {PartitionState::landed,  PartitionState::landing, PartitionState::behind,
                                PartitionState::stalled, PartitionState::failing, PartitionState::silent,
                                PartitionState::orphaned};

Json moment_json(const ingest::PipelineMoment& moment) {
  return {{"time", time_text(moment.time_ms)},
          {"lag_events", moment.lag_events},
          {"lag_seconds", moment.lag_seconds},
          {"events_per_second", moment.landing_per_second},
          {"arriving_per_second", moment.arriving_per_second}};
}

Json partition_json(const ingest::PipelinePartition& one) {
  return {{"partition", one.told.partition},
          {"state", ingest::name_of(one.state)},
          {"loader", one.told.loader},
          {"has_loader", one.has_loader ? Json(*one.has_loader) : Json(nullptr)},
          {"seen", one.told.time_ms == 0 ? Json(nullptr) : Json(time_text(one.told.time_ms))},
          {"landed", one.told.landed},
          {"end", one.told.end},
          {"lag_events", one.told.lag_events()},
          {"lag_seconds", one.lag_seconds},
          {"events_per_second", one.landing_per_second},
          {"arriving_per_second", one.arriving_per_second},
          {"done_in_seconds", one.done_in ? Json(*one.done_in) : Json(nullptr)},
          {"batch_rows", one.told.batch_rows},
          {"dead_letters", one.dead_letters},
          {"last_error", one.told.last_error}};
}

std::optional<double> number_or_none(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

ingest::PipelinePartition partition_of(const Json& json) {
  ingest::PipelinePartition one;
  one.told.partition = json.at("partition");
  const std::string state = json.at("state");
  const auto found = std::ranges::find(kStates, state, ingest::name_of);
  if (found == kStates.end()) throw std::invalid_argument("an unknown state, " + state);
  one.state = *found;
  one.told.loader = json.at("loader");
  if (!json.at("has_loader").is_null()) one.has_loader = json.at("has_loader").get<bool>();
  if (!json.at("seen").is_null())
    one.told.time_ms = event::parse_timestamp(json.at("seen").get<std::string>()).value_or(0);
  one.told.landed = json.at("landed");
  one.told.end = json.at("end");
  one.lag_seconds = json.at("lag_seconds");
  one.landing_per_second = json.at("events_per_second");
  one.arriving_per_second = json.at("arriving_per_second");
  one.done_in = number_or_none(json.at("done_in_seconds"));
  one.told.batch_rows = json.at("batch_rows");
  one.dead_letters = json.at("dead_letters");
  one.told.last_error = json.at("last_error");
  return one;
}

}  // namespace

std::string pipeline_json(const ingest::Pipeline& pipeline, const PipelineContext& context) {
  Json body = moment_json(pipeline.now);
  body["log_kind"] = context.log_kind;
  body["log_answers"] = pipeline.log_answers;
  body["store_answers"] = pipeline.store_answers;
  body["wants_attention"] = pipeline.wants_attention();
  body["done_in_seconds"] = pipeline.done_in ? Json(*pipeline.done_in) : Json(nullptr);
  body["max_batch_rows"] = context.max_batch_rows;
  body["partitions"] = Json::array();
  for (const auto& one : pipeline.partitions) body["partitions"].push_back(partition_json(one));
  body["history"] = Json::array();
  for (const auto& moment : pipeline.history) body["history"].push_back(moment_json(moment));
  return json_text(body);
}

Result<ingest::Pipeline> parse_pipeline(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    ingest::Pipeline pipeline;
    pipeline.now.time_ms = event::parse_timestamp(json.at("time").get<std::string>()).value_or(0);
    pipeline.now.lag_events = json.at("lag_events");
    pipeline.now.lag_seconds = json.at("lag_seconds");
    pipeline.now.landing_per_second = json.at("events_per_second");
    pipeline.now.arriving_per_second = json.at("arriving_per_second");
    pipeline.log_answers = json.at("log_answers");
    pipeline.store_answers = json.at("store_answers");
    pipeline.done_in = number_or_none(json.at("done_in_seconds"));
    for (const Json& one : json.at("partitions")) pipeline.partitions.push_back(partition_of(one));
    return pipeline;
  } catch (const std::exception& e) {
    return Error::give_up(fmt::format("the answer to GET /v1/pipeline cannot be read: {}", e.what()));
  }
}

}  // namespace marquee::api
