#include "serving_metrics.h"

#include <array>
#include <string>

namespace marquee::serving {

std::string_view name(Outcome outcome) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"counted", "replayed", "forged", "expired", "bot", "no_impression", "not_logged", "flood", "clock"});
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view name(Stage stage) {
  constexpr auto kNames = std::to_array<std::string_view>({"read", "write", "log", "send"});
  return kNames[static_cast<std::size_t>(stage)];
}

namespace {

/// Finer about a millisecond than those of other requests.
prometheus::Histogram::BucketBoundaries decision_buckets() {
  return {0.00002, 0.00003, 0.00005, 0.0001, 0.00015, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015,
          0.002,   0.003,   0.005,   0.0075, 0.01,    0.025,  0.05,   0.1,    0.25,    1,     10};
}

}  // namespace

ServingMetrics::ServingMetrics(const std::shared_ptr<metrics::Registry>& registry) {
  if (!registry) return;
  placements_ = &prometheus::BuildCounter()
                     .Name("marquee_decision_placements_total")
                     .Help("Placements that were asked for, by whether an ad was served")
                     .Register(*registry);
  served_ = &placements_->Add({{"answer", "served"}});
  empty_ = &placements_->Add({{"answer", "empty"}});
  refusals_ = &prometheus::BuildCounter()
                   .Name("marquee_decision_refusals_total")
                   .Help("Requests for decisions that were refused, by status")
                   .Register(*registry);
  events_ = &prometheus::BuildCounter()
                 .Name("marquee_served_events_total")
                 .Help("Impression and click addresses that were asked for, by what became of it")
                 .Register(*registry);
  seconds_ =
      &prometheus::BuildHistogram()
           .Name("marquee_decision_seconds")
           .Help("From a request for decisions that is read to its answer with the kernel, the decisions' log included")
           .Register(*registry)
           .Add({}, decision_buckets());
  engine_seconds_ = &prometheus::BuildHistogram()
                         .Name("marquee_decision_engine_seconds")
                         .Help("Choosing the ads of a request alone")
                         .Register(*registry)
                         .Add({}, decision_buckets());
  auto& stages = prometheus::BuildHistogram()
                     .Name("marquee_decision_stage_seconds")
                     .Help("What a decision took besides choosing: to read, to write, in the log, to send")
                     .Register(*registry);
  for (const auto stage : {Stage::read, Stage::write, Stage::log, Stage::send})
    stages_[static_cast<std::size_t>(stage)] = &stages.Add({{"stage", std::string(name(stage))}}, decision_buckets());
}

void ServingMetrics::decided(std::size_t served, std::size_t empty) {
  if (seconds_ == nullptr) return;
  served_->Increment(static_cast<double>(served));
  empty_->Increment(static_cast<double>(empty));
}

void ServingMetrics::chosen(double seconds) {
  if (engine_seconds_ != nullptr) engine_seconds_->Observe(seconds);
}

void ServingMetrics::took(Stage stage, double seconds) {
  if (auto* histogram = stages_[static_cast<std::size_t>(stage)]) histogram->Observe(seconds);
}

void ServingMetrics::answered(double seconds) {
  if (seconds_ != nullptr) seconds_->Observe(seconds);
}

void ServingMetrics::refused(unsigned status) {
  if (refusals_ != nullptr) refusals_->Add({{"status", std::to_string(status)}}).Increment();
}

void ServingMetrics::event(event::Type type, Outcome outcome) {
  if (events_ == nullptr) return;
  events_->Add({{"type", std::string(event::name(type))}, {"outcome", std::string(name(outcome))}}).Increment();
}

}  // namespace marquee::serving
