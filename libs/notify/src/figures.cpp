#include "figures.h"

namespace marquee::notify {
namespace {

constexpr std::array kSources = {"delivery", "alert"};

std::array<prometheus::Counter*, 2> counters(metrics::Registry& registry, const char* name, const char* help) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  return {&family.Add({{"source", kSources[0]}}), &family.Add({{"source", kSources[1]}})};
}

}  // namespace

Notifier::Figures::Figures(metrics::Registry& registry)
    : tries_(counters(registry, "marquee_webhook_tries_total", "Requests to webhooks")),
      sent_(counters(registry, "marquee_webhook_sent_total", "Notices that a receiver has taken")),
      failed_(counters(registry, "marquee_webhook_failed_total", "Notices that were given up")),
      late_(&prometheus::BuildHistogram()
                 .Name("marquee_webhook_late_seconds")
                 .Help("From the time that a notice was due until a receiver took it")
                 .Register(registry)
                 .Add({}, prometheus::Histogram::BucketBoundaries{0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200})) {}

void Notifier::Figures::sent(catalog::NoticeSource source, Millis late) {
  sent_[static_cast<std::size_t>(source)]->Increment();
  late_->Observe(static_cast<double>(late.count()) / 1'000);
}

}  // namespace marquee::notify
