// What is sent to webhooks: deliveries of saved reports, alerts, and the notices that both of them make.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/catalog/catalog.h"

namespace marquee::catalog {

/// A saved report that is sent again and again.
struct Delivery {
  std::string id = {};  ///< 16 hexadecimal digits.
  std::string report_id;
  std::string url;
  std::string format;    ///< "json", "csv", "parquet" or "png".
  std::string schedule;  ///< JSON; see notify::Schedule.
  std::string owner;
  bool is_paused = false;
  std::string pause_reason = {};  ///< Empty where someone paused it.
  std::int64_t made_ms = 0;
  std::int64_t changed_ms = 0;   ///< Also its version.
  std::int64_t next_due_ms = 0;  ///< This and the next are the scheduler's and of no version.
  int failures = 0;              ///< Notices in a row that could not be sent.
};

/// A condition on a metric that is looked at again and again.
struct Alert {
  std::string id = {};  ///< 16 hexadecimal digits.
  std::string name;
  std::string site_id;
  std::string rule;  ///< JSON; see notify::AlertRule.
  std::string url;
  std::string owner;
  bool is_paused = false;
  std::int64_t made_ms = 0;
  std::int64_t changed_ms = 0;  ///< Also its version.
  std::string state = "{}";     ///< JSON; see notify::AlertState. This and the next are the scheduler's.
  std::int64_t next_check_ms = 0;
};

enum class NoticeSource { delivery, alert };

/// Of a notice that someone asked for by hand.
inline constexpr std::string_view kTestOfReport = "report.test";

/// One thing to tell a webhook, and how far that has come.
struct Notice {
  enum class Status { waiting, sent, failed };

  std::string id;  ///< The same at each try, and in each process that tries.
  NoticeSource source = NoticeSource::delivery;
  std::string source_id;
  std::string event;  ///< "report.due", "report.test", "alert.firing", ...
  std::int64_t due_ms = 0;
  Status status = Status::waiting;
  int tries = 0;
  std::int64_t next_try_ms = 0;
  std::int64_t done_ms = 0;  ///< 0 while it waits.
  int http_status = 0;       ///< Of the last answer; 0: there was none.
  std::string error = {};    ///< Of the last try; empty where it was taken.
  std::string content_type = {}, disposition = {};
  std::string body = {};  ///< Any bytes. Not read with the notice: see NotificationBook::body.
};
[[nodiscard]] std::string_view name_of(Notice::Status status);

/// Storage of all of them, in the catalog's database. Thread safe. Each change is a transaction.
class NotificationBook {
 public:
  /// `catalog` must outlive it.
  explicit NotificationBook(Catalog& catalog) : impl_(*catalog.impl_) {}

  /// Of one report where `report_id` is not empty.
  [[nodiscard]] Result<std::vector<Delivery>> deliveries(std::string_view report_id) const;
  [[nodiscard]] Result<std::optional<Delivery>> delivery(std::string_view id) const;
  /// Keeps it under a new id. Action::reject names what is wrong, "report" where there is no such report.
  [[nodiscard]] Result<Delivery> add(Delivery delivery, std::string_view actor);
  /// Puts another in its place, but for its id and the time it was made. What waits to be sent of it is dropped.
  [[nodiscard]] Result<Edit> replace(Delivery& delivery, Version version, std::string_view actor);
  [[nodiscard]] Result<Edit> remove_delivery(std::string_view id, Version version, std::string_view actor);
  /// Those that are due at `now_ms` and not paused.
  [[nodiscard]] Result<std::vector<Delivery>> due_deliveries(std::int64_t now_ms) const;
  /// Keeps the notice of a due delivery (once, however often it is asked to) and when it is due next. An older notice
  /// of it that still waits is given up, which is a failure: see record_try. Edit::changed where the delivery is of
  /// another version by now.
  [[nodiscard]] Result<Edit> plan(const Delivery& delivery, const Notice& notice, std::int64_t next_due_ms,
                                  int max_failures);

  /// Of one site where `site_id` is not empty.
  [[nodiscard]] Result<std::vector<Alert>> alerts(std::string_view site_id) const;
  [[nodiscard]] Result<std::optional<Alert>> alert(std::string_view id) const;
  [[nodiscard]] Result<Alert> add(Alert alert, std::string_view actor);
  /// As that of a delivery; its state begins anew.
  [[nodiscard]] Result<Edit> replace(Alert& alert, Version version, std::string_view actor);
  [[nodiscard]] Result<Edit> remove_alert(std::string_view id, Version version, std::string_view actor);
  [[nodiscard]] Result<std::vector<Alert>> due_alerts(std::int64_t now_ms) const;
  /// Keeps the alert's state and next check, and the notice that its change makes, all or nothing. Edit::changed where
  /// the alert is of another version by now.
  [[nodiscard]] Result<Edit> record_check(const Alert& alert, const std::optional<Notice>& notice);

  /// Newest first.
  [[nodiscard]] Result<std::vector<Notice>> notices(NoticeSource source, std::string_view source_id,
                                                    std::size_t limit) const;
  /// Those that wait and whose time has come, the most urgent first. What a source tells is told in its order: none
  /// before an older one of the same source is done, tests left out.
  [[nodiscard]] Result<std::vector<Notice>> due_notices(std::int64_t now_ms, std::size_t limit) const;
  /// Empty until it is made, and once the notice is done.
  [[nodiscard]] Result<std::string> body(std::string_view notice_id) const;
  [[nodiscard]] Result<Edit> add(const Notice& notice);
  /// Keeps what will be sent, so that each try sends the same.
  [[nodiscard]] Result<Edit> set_content(const Notice& notice);
  /// What a try came to. `max_failures` notices in a row of a delivery that could not be sent pause it, tests left out;
  /// one whose receiver `is_gone` pauses it at once. Of each source the last fifty are kept.
  [[nodiscard]] Result<Edit> record_try(const Notice& notice, int max_failures, bool is_gone);

 private:
  Catalog::Impl& impl_;
};

}  // namespace marquee::catalog
