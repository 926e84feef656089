// What deliveries and alerts send and look at: reports as of their due time, metrics over a window that ends now.
#pragma once

#include "marquee/ingest/pipeline_watch.h"
#include "marquee/notify/notifier.h"
#include "report_answers.h"

namespace marquee::api {

/// Thread safe; blocks while the store answers.
class ScheduledReports final : public notify::Source {
 public:
  ScheduledReports(catalog::Catalog& catalog, clickhouse::Client& store, bool can_remember,
                   ingest::PipelineWatch& watch)
      : catalog_(catalog), store_(store), reports_(catalog, store, can_remember), watch_(watch) {}

  /// A report's `last` ends at the due time, however late it is sent. As JSON it comes with what it is of; else it is
  /// the file that /v1/saved-reports/{id}/answer gives.
  [[nodiscard]] Result<notify::Content> report(const catalog::Delivery& delivery,
                                               const catalog::Notice& notice) override;
  /// Action::retry also while events of the window may not have landed: they would be missed, not stalled.
  [[nodiscard]] Result<notify::Readings> read(const notify::AlertRule& rule, std::int64_t now_ms) override;
  /// The same whatever has landed. Action::reject names what the rule asks for and there is not.
  [[nodiscard]] Result<notify::Readings> look(const notify::AlertRule& rule, std::int64_t now_ms);

 private:
  [[nodiscard]] Result<notify::Reading> reading(const notify::AlertRule& rule, std::int64_t from_ms,
                                                std::int64_t to_ms);

  catalog::Catalog& catalog_;
  clickhouse::Client& store_;
  ReportAnswers reports_;
  ingest::PipelineWatch& watch_;
};

}  // namespace marquee::api
