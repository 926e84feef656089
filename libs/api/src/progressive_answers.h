// Reports in steps, as Server-Sent Events: where the exact answer takes long, an estimate first.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "marquee/clickhouse/client.h"
#include "marquee/http/server.h"
#include "report_answers.h"

namespace marquee::api {

/// Whoever goes away ends what the store still does for him. Thread safe.
class ProgressiveAnswers {
 public:
  ProgressiveAnswers(ReportAnswers& reports, clickhouse::Client& store) : reports_(reports), store_(store) {}
  ~ProgressiveAnswers() { stop(); }
  ProgressiveAnswers(const ProgressiveAnswers&) = delete;
  ProgressiveAnswers& operator=(const ProgressiveAnswers&) = delete;

  /// /v1/reports/<kind>/stream: `event: sample` where the exact answer would take longer than about a second or
  /// the request says how much to sample, then `event: exact`; `event: error` where either fails. 503 where many are
  /// under way.
  void answer(const ReportAnswers::Steps& report, const http::Request& request, http::Responder responder);
  /// Ends those under way.
  void stop();

 private:
  void run(const ReportAnswers::Steps& report, const http::Request& request, http::Stream& stream);
  /// Waits for the exact answer; says now and then that it does, which shows whether anyone still listens.
  void tell_exact(const ReportAnswers::Steps& report, const http::Request& request, http::Stream& stream);

  ReportAnswers& reports_;
  clickhouse::Client& store_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;  ///< Guarded by mutex_.
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace marquee::api
