// /v1/alerts...: conditions on metrics, told to webhooks.
#pragma once

#include "answers.h"
#include "marquee/catalog/notification_book.h"
#include "marquee/notify/notifier.h"
#include "scheduled_reports.h"

namespace marquee::api {

/// Thread safe; blocks while the catalog or the store answers.
class AlertAnswers {
 public:
  AlertAnswers(catalog::Catalog& catalog, notify::Notifier& notifier, ScheduledReports& reports,
               const notify::WebhookOptions& webhook)
      : book_(catalog), notifier_(notifier), reports_(reports), webhook_(webhook) {}

  [[nodiscard]] http::Response list(const http::Request& request);
  /// A rule whose metric cannot be counted is refused, with what the report itself says. The answer has the secret that
  /// its notices are signed with, which is shown here only.
  [[nodiscard]] http::Response add(const http::Request& request);
  /// With what became of the last notices.
  [[nodiscard]] http::Response get(const http::Request& request);
  /// Its state begins anew.
  [[nodiscard]] http::Response replace(const http::Request& request);
  [[nodiscard]] http::Response remove(const http::Request& request);
  /// 202: what it comes to is told by get().
  [[nodiscard]] http::Response send(const http::Request& request);

 private:
  /// What the body describes, after its metric has been counted once.
  [[nodiscard]] Result<catalog::Alert> described(const http::Request& request);

  catalog::NotificationBook book_;
  notify::Notifier& notifier_;
  ScheduledReports& reports_;
  const notify::WebhookOptions& webhook_;
};

}  // namespace marquee::api
