// Why decisions were as they were, of those who ask with one write key: for a page that shows it (the campus demo).
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace marquee::serving {

/// The last ones, in memory alone. Who asks names the decision, whose id of 128 random bits nobody but who was answered
/// has. Thread safe.
class Explanations {
 public:
  static constexpr std::size_t kMostBytes = 16U << 20;

  /// Of decisions that are asked for with this write key; of no other any is kept.
  explicit Explanations(std::string write_key) : write_key_(std::move(write_key)) {}

  [[nodiscard]] const std::string& write_key() const { return write_key_; }
  /// Lets the oldest go where there are too many bytes; what alone is too large is not kept.
  void keep(std::string decision_id, std::string json);
  [[nodiscard]] std::optional<std::string> find(std::string_view decision_id) const;

 private:
  const std::string write_key_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::string> by_id_;  ///< Guarded by mutex_, as those below.
  std::deque<std::string> in_order_;
  std::size_t bytes_ = 0;
};

}  // namespace marquee::serving
