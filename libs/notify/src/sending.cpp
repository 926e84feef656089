// The senders: take a notice, post it, write down what came of it.
#include <fmt/format.h>

#include <optional>
#include <random>

#include "figures.h"
#include "marquee/base/logging.h"
#include "marquee/notify/notifier.h"
#include "marquee/notify/signature.h"

namespace marquee::notify {
namespace {

using catalog::Notice;
using catalog::NoticeSource;

constexpr std::size_t kLookAt = 500;  ///< Notices that are due, of which one may be taken.
constexpr int kGone = 410;

double random_share() {
  static thread_local std::mt19937_64 random{std::random_device()()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

/// Its report has not been made yet.
bool needs_report(const Notice& notice) { return notice.content_type.empty(); }

/// What a failed attempt to make or find something comes to.
WebhookOutcome outcome_of(const Error& error) {
  return {.status = 0, .error = error.message, .is_refused = error.action == Action::reject, .retry_after = {}};
}

}  // namespace

std::optional<Notice> Notifier::take_due() {
  const std::lock_guard lock(mutex_);
  const auto due = book_.due_notices(now_ms(), kLookAt);
  if (!due) return std::nullopt;
  for (const auto& notice : *due) {
    if (needs_report(notice) && is_making_report_) continue;
    if (!busy_.insert(notice.source_id).second) continue;
    if (needs_report(notice)) is_making_report_ = true;
    return notice;
  }
  return std::nullopt;
}

void Notifier::send_due(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto notice = take_due();
    if (!notice) return;
    const auto source = notice->source_id;
    const bool is_recorded = send(std::move(*notice), stop);
    std::unique_lock lock(mutex_);
    // The catalog still has it as due; a disk that is full must not make a receiver get it without end.
    if (!is_recorded) woken_.wait_for(lock, stop, options_.backoff.first, [] { return false; });
    busy_.erase(source);
  }
}

bool Notifier::send(Notice notice, const std::stop_token& stop) {
  const bool was_needed = needs_report(notice);
  const auto url = prepare(notice);
  if (was_needed) {
    {
      const std::lock_guard lock(mutex_);
      is_making_report_ = false;
    }
    wake();
  }
  if (!url) return record(notice, outcome_of(url.error()), url.error().action != Action::retry);
  if (!*url) return true;
  figures_->tried(notice.source);
  const auto outcome = post(notice, **url, stop);
  // What the stop has cut off is as if it had not been begun.
  if (stop.stop_requested() && outcome.status == 0 && !outcome.is_refused) return true;
  return record(notice, outcome, outcome.is_refused || outcome.status == kGone);
}

Result<std::optional<std::string>> Notifier::prepare(Notice& notice) {
  if (notice.source == NoticeSource::alert) {
    const auto alert = book_.alert(notice.source_id);
    if (!alert) return Error::retry(alert.error().message);
    if (!*alert) return std::optional<std::string>();
    auto body = book_.body(notice.id);
    if (!body) return Error::retry(body.error().message);
    notice.body = std::move(*body);
    return std::optional((*alert)->url);
  }
  const auto delivery = book_.delivery(notice.source_id);
  if (!delivery) return Error::retry(delivery.error().message);
  if (!*delivery) return std::optional<std::string>();
  auto body = book_.body(notice.id);
  if (!body) return Error::retry(body.error().message);
  notice.body = std::move(*body);
  if (notice.body.empty()) {
    auto content = source_.report(**delivery, notice);
    if (!content) return Error{.action = content.error().action, .message = "the report: " + content.error().message};
    notice.content_type = std::move(content->type);
    notice.disposition = std::move(content->disposition);
    notice.body = std::move(content->body);
    if (auto kept = book_.set_content(notice); !kept) return Error::retry(kept.error().message);
  }
  return std::optional((*delivery)->url);
}

WebhookOutcome Notifier::post(const Notice& notice, const std::string& url, const std::stop_token& stop) const {
  const auto timestamp = now_ms() / 1'000;
  WebhookPost post{.url = url,
                   .fields = {{"Content-Type", notice.content_type},
                              {"webhook-id", notice.id},
                              {"webhook-timestamp", std::to_string(timestamp)},
                              {"webhook-signature",
                               webhook_signature(secret_of(notice.source_id), notice.id, timestamp, notice.body)}},
                   .body = notice.body};
  if (!notice.disposition.empty()) post.fields.emplace_back("Content-Disposition", notice.disposition);
  return post_webhook(options_.webhook, post, stop);
}

bool Notifier::record(Notice& notice, const WebhookOutcome& outcome, bool is_final) {
  const auto now = now_ms();
  ++notice.tries;
  notice.http_status = outcome.status;
  notice.error = outcome.error.substr(0, 1'000);
  if (outcome.is_taken()) {
    notice.status = Notice::Status::sent;
    figures_->sent(notice.source, Millis(now - notice.due_ms));
  } else if (is_final || notice.tries >= options_.max_tries) {
    notice.status = Notice::Status::failed;
    figures_->failed(notice.source);
  } else {
    notice.next_try_ms = now + wait_after(options_.backoff, notice.tries, random_share(), outcome.retry_after).count();
  }
  if (notice.status != Notice::Status::waiting) notice.done_ms = now;
  const auto is_sent = notice.status == Notice::Status::sent;
  logging::write(is_sent ? logging::Level::info : logging::Level::warn, "notify.tried",
                 {{"notice", notice.id},
                  {"event", notice.event},
                  {"status", name_of(notice.status)},
                  {"tries", notice.tries},
                  {"http_status", notice.http_status},
                  {"error", notice.error}});
  const auto recorded = book_.record_try(notice, options_.max_failures, outcome.status == kGone);
  if (!recorded) logging::warn("notify.catalog_failed", {{"error", recorded.error().message}});
  return recorded.has_value();
}

}  // namespace marquee::notify
