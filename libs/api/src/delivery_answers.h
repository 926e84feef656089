// /v1/deliveries...: saved reports that are sent to webhooks.
#pragma once

#include "answers.h"
#include "marquee/catalog/notification_book.h"
#include "marquee/notify/notifier.h"

namespace marquee::api {

/// Thread safe; blocks while the catalog answers.
class DeliveryAnswers {
 public:
  DeliveryAnswers(catalog::Catalog& catalog, notify::Notifier& notifier, const notify::WebhookOptions& webhook)
      : book_(catalog), notifier_(notifier), webhook_(webhook) {}

  [[nodiscard]] http::Response list(const http::Request& request);
  /// With the secret that its notices are signed with, which is shown here only.
  [[nodiscard]] http::Response add(const http::Request& request);
  /// With what became of the last notices.
  [[nodiscard]] http::Response get(const http::Request& request);
  [[nodiscard]] http::Response replace(const http::Request& request);
  [[nodiscard]] http::Response remove(const http::Request& request);
  /// 202: what it comes to is told by get().
  [[nodiscard]] http::Response send(const http::Request& request);

 private:
  [[nodiscard]] Result<catalog::Delivery> described(const http::Request& request) const;

  catalog::NotificationBook book_;
  notify::Notifier& notifier_;
  const notify::WebhookOptions& webhook_;
};

}  // namespace marquee::api
