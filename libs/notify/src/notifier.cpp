#include "marquee/notify/notifier.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "figures.h"
#include "marquee/base/logging.h"
#include "marquee/notify/schedule.h"
#include "marquee/notify/signature.h"
#include "notice_body.h"

namespace marquee::notify {

using catalog::Edit;
using catalog::Notice;
using catalog::NoticeSource;

Notifier::Notifier(NotifierOptions options, catalog::Catalog& catalog, Source& source)
    : options_(std::move(options)), book_(catalog), source_(source) {
  if (!options_.clock) options_.clock = std::make_shared<SystemClock>();
  if (!options_.metrics) options_.metrics = std::make_shared<metrics::Registry>();
  figures_ = std::make_unique<Figures>(*options_.metrics);
}

Notifier::~Notifier() { stop(); }

void Notifier::start() {
  threads_.emplace_back([this](const std::stop_token& stop) { watch(stop, [&] { plan_deliveries(stop); }); });
  threads_.emplace_back([this](const std::stop_token& stop) { watch(stop, [&] { check_alerts(stop); }); });
  for (unsigned i = 0; i < options_.senders; ++i)
    threads_.emplace_back([this](const std::stop_token& stop) { watch(stop, [&] { send_due(stop); }); });
}

void Notifier::stop() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

template <class Look>
void Notifier::watch(const std::stop_token& stop, Look look) {
  while (!stop.stop_requested()) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex_);
      seen = wakes_;
    }
    look();
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, stop, options_.look_every, [&] { return wakes_ != seen; });
  }
}

void Notifier::wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  woken_.notify_all();
}

std::string Notifier::secret_of(std::string_view id) const {
  return webhook_secret(options_.secret_root, fmt::format("webhook {}", id));
}

void Notifier::plan_deliveries(const std::stop_token& stop) {
  const auto now = now_ms();
  const auto due = book_.due_deliveries(now);
  if (!due) return logging::warn("notify.catalog_failed", {{"error", due.error().message}});
  for (const auto& delivery : *due) {
    if (stop.stop_requested()) return;
    plan(delivery, now);
  }
  if (!due->empty()) wake();
}

void Notifier::plan(const catalog::Delivery& delivery, std::int64_t now) {
  const auto schedule = read_schedule(delivery.schedule);
  if (!schedule)
    return logging::error("notify.bad_schedule", {{"delivery", delivery.id}, {"error", schedule.error().message}});
  const WallTime at{Millis(now)};
  const auto last = last_due(*schedule, WallTime(Millis(delivery.next_due_ms - 1)), at);
  const std::int64_t due_ms = last ? last->time_since_epoch().count() : delivery.next_due_ms;
  const Notice notice{.id = fmt::format("msg_{}_{}", delivery.id, due_ms),
                      .source = NoticeSource::delivery,
                      .source_id = delivery.id,
                      .event = "report.due",
                      .due_ms = due_ms,
                      .next_try_ms = now};
  const auto next = next_due(*schedule, at).time_since_epoch().count();
  const auto planned = book_.plan(delivery, notice, next, options_.max_failures);
  if (!planned) logging::warn("notify.catalog_failed", {{"error", planned.error().message}});
}

void Notifier::check_alerts(const std::stop_token& stop) {
  const auto due = book_.due_alerts(now_ms());
  if (!due) return logging::warn("notify.catalog_failed", {{"error", due.error().message}});
  for (const auto& alert : *due) {
    if (stop.stop_requested()) return;
    check(alert);
  }
}

void Notifier::check(catalog::Alert alert) {
  const auto rule = read_alert_rule(alert.rule);
  if (!rule) return logging::error("notify.bad_rule", {{"alert", alert.id}, {"error", rule.error().message}});
  const auto now = now_ms();
  AlertStep next{read_alert_state(alert.state), AlertEvent::none};
  auto readings = source_.read(*rule, now);
  if (readings) {
    next = step(*rule, next.state, std::move(*readings), now);
  } else {
    next.state.error = readings.error().message.substr(0, 1'000);
    next.state.checked_ms = now;
  }
  alert.state = write_alert_state(next.state);
  alert.next_check_ms = std::max(alert.next_check_ms, now - rule->every.count()) + rule->every.count();
  std::optional<Notice> notice;
  if (next.event != AlertEvent::none) {
    const auto type = fmt::format("alert.{}", name_of(next.event));
    notice = Notice{.id = fmt::format("msg_{}_{}", alert.id, now),
                    .source = NoticeSource::alert,
                    .source_id = alert.id,
                    .event = type,
                    .due_ms = now,
                    .next_try_ms = now,
                    .content_type = "application/json",
                    .body = alert_body(alert, *rule, next.state, type, now)};
    logging::info("notify.alert", {{"alert", alert.id}, {"name", alert.name}, {"event", name_of(next.event)}});
  }
  const auto recorded = book_.record_check(alert, notice);
  if (!recorded) return logging::warn("notify.catalog_failed", {{"error", recorded.error().message}});
  if (notice) wake();
}

Result<Notice> Notifier::send_now(const catalog::Delivery& delivery) {
  const auto now = now_ms();
  Notice notice{.id = fmt::format("msg_{}_{}_test", delivery.id, now),
                .source = NoticeSource::delivery,
                .source_id = delivery.id,
                .event = std::string(catalog::kTestOfReport),
                .due_ms = now,
                .next_try_ms = now};
  if (auto added = book_.add(notice); !added) return added.error();
  wake();
  return notice;
}

Result<Notice> Notifier::send_test(const catalog::Alert& alert) {
  const auto rule = read_alert_rule(alert.rule);
  if (!rule) return rule.error();
  const auto now = now_ms();
  Notice notice{.id = fmt::format("msg_{}_{}_test", alert.id, now),
                .source = NoticeSource::alert,
                .source_id = alert.id,
                .event = "alert.test",
                .due_ms = now,
                .next_try_ms = now,
                .content_type = "application/json",
                .body = alert_body(alert, *rule, read_alert_state(alert.state), "alert.test", now)};
  if (auto added = book_.add(notice); !added) return added.error();
  wake();
  return notice;
}

}  // namespace marquee::notify
