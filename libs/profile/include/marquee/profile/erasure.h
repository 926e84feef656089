// Erasures as all processes that keep something of users are told them: records of a log that they share, and that is
// kept for ever.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/log/event_log.h"

namespace marquee::profile {

/// A user who is to be forgotten.
struct Erasure {
  std::string site_id;
  std::uint64_t user_key = 0;
  log::Offset before = 0;     ///< Where the user's partition of the events' log ended then.
  std::int64_t asked_ms = 0;  ///< When: what was received until then is forgotten wherever it stands in the log.
  bool operator==(const Erasure&) const = default;
};

[[nodiscard]] std::string encode(const Erasure& erasure);
/// nullopt for what is none, or of a later program.
[[nodiscard]] std::optional<Erasure> decode_erasure(std::string_view record);

/// Appends the erasure of what `events` has by now; durable when it returns. Action::reject for a user without key,
/// Action::retry where a log does not answer: it may be durable all the same, and may be asked again.
[[nodiscard]] Result<Erasure> tell_erasure(log::EventLog& erasures, log::EventLog& events, std::string_view site_id,
                                           std::uint64_t user_key);

/// An erasure and where it stands in their log.
struct ToldErasure {
  Erasure erasure;
  log::Offset offset = 0;
};

/// Reads a log of erasures, of one partition, from its begin on. All that it reads goes to `on_erasures`, in order,
/// some at a time. `log` has no other reader and must outlive it.
class ErasureReader {
 public:
  using OnErasures = std::function<void(std::span<const ToldErasure> erasures)>;
  ErasureReader(log::EventLog& log, OnErasures on_erasures) : log_(log), on_erasures_(std::move(on_erasures)) {}
  ~ErasureReader() { stop(); }
  ErasureReader(const ErasureReader&) = delete;
  ErasureReader& operator=(const ErasureReader&) = delete;

  /// Up to where the log ends now. Action::retry where it does not answer. Not after start().
  [[nodiscard]] Result<void> catch_up();
  /// Goes on from there, on a thread of its own.
  void start();
  void stop();
  /// What is to be read next. Not after start().
  [[nodiscard]] log::Offset next() const { return next_; }

 private:
  /// Gives what there is.
  void take(const log::Records& records);
  void run(const std::stop_token& stop);

  log::EventLog& log_;
  const OnErasures on_erasures_;
  log::Offset next_ = 0;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace marquee::profile
