// Sends what is due: plans deliveries, looks at alerts, and posts what both of them make.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "marquee/base/metrics.h"
#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/catalog/notification_book.h"
#include "marquee/notify/alert.h"
#include "marquee/notify/backoff.h"
#include "marquee/notify/webhook.h"

namespace marquee::notify {

struct NotifierOptions {
  WebhookOptions webhook;
  Backoff backoff;
  int max_tries = 8;                   ///< Of a notice.
  int max_failures = 5;                ///< Notices in a row of a delivery that could not be sent, before it is paused.
  unsigned senders = 4;                ///< Notices that are sent at a time; of one delivery or alert always one.
  Millis look_every{250};              ///< At what is due. A clock that is set is noticed within that time.
  std::string secret_root;             ///< See webhook_secret.
  std::shared_ptr<const Clock> clock;  ///< Null: the system's.
  std::shared_ptr<metrics::Registry> metrics;  ///< Null: none.
};

/// What is sent.
struct Content {
  std::string type;         ///< Of the body.
  std::string disposition;  ///< Content-Disposition; empty where it is no file.
  std::string body;
};

/// Where the numbers come from. Blocks; called by one thread at a time for reports and another for readings.
class Source {
 public:
  virtual ~Source() = default;
  /// The report as of the notice's due time. Action::reject where it cannot be made, ever.
  [[nodiscard]] virtual Result<Content> report(const catalog::Delivery& delivery, const catalog::Notice& notice) = 0;
  /// The rule's metric over its window, which ends now. Action::retry where that cannot be known now.
  [[nodiscard]] virtual Result<Readings> read(const AlertRule& rule, std::int64_t now_ms) = 0;
};

/// Each due time makes one notice, whose id is made of it, before anything is sent; a notice is tried until a receiver
/// takes it or its tries are used up. So after a crash at any moment it is sent with the same id, at least once. Of the
/// times that were missed while nothing ran, the last one is sent. Thread safe.
class Notifier {
 public:
  /// `catalog` and `source` must outlive it.
  Notifier(NotifierOptions options, catalog::Catalog& catalog, Source& source);
  ~Notifier();  ///< Stops.
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void start();
  /// Begins nothing more; what is being sent has two seconds to end, and is sent again after the next start if it
  /// has not.
  void stop();

  /// Queues the delivery's report as of now, whether it is paused or not, and gives the notice.
  [[nodiscard]] Result<catalog::Notice> send_now(const catalog::Delivery& delivery);
  /// Queues a notice that looks like the alert's, with the type alert.test.
  [[nodiscard]] Result<catalog::Notice> send_test(const catalog::Alert& alert);
  /// What notices of that delivery or alert are signed with.
  [[nodiscard]] std::string secret_of(std::string_view id) const;

 private:
  class Figures;
  /// Runs `look` again and again until the stop; at once when woken.
  template <class Look>
  void watch(const std::stop_token& stop, Look look);
  void wake();
  [[nodiscard]] std::int64_t now_ms() const { return options_.clock->now().time_since_epoch().count(); }

  void plan_deliveries(const std::stop_token& stop);
  void plan(const catalog::Delivery& delivery, std::int64_t now);
  void check_alerts(const std::stop_token& stop);
  void check(catalog::Alert alert);
  void send_due(const std::stop_token& stop);
  /// Takes one that no other sender has a notice of the same source of; none that needs a report while one is made.
  [[nodiscard]] std::optional<catalog::Notice> take_due();
  /// False where what came of it could not be written down.
  [[nodiscard]] bool send(catalog::Notice notice, const std::stop_token& stop);
  /// Where it is to be sent to; nullopt where its source is gone. Its body is made where it has none yet.
  [[nodiscard]] Result<std::optional<std::string>> prepare(catalog::Notice& notice);
  [[nodiscard]] WebhookOutcome post(const catalog::Notice& notice, const std::string& url,
                                    const std::stop_token& stop) const;
  [[nodiscard]] bool record(catalog::Notice& notice, const WebhookOutcome& outcome, bool is_final);

  NotifierOptions options_;
  catalog::NotificationBook book_;
  Source& source_;
  std::unique_ptr<Figures> figures_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::uint64_t wakes_ = 0;        ///< Guarded by mutex_, as are the next two.
  std::set<std::string> busy_;     ///< Sources of the notices that are being sent.
  bool is_making_report_ = false;  ///< One at a time, by one sender; the others go on with what is made.
  std::vector<std::jthread> threads_;
};

}  // namespace marquee::notify
