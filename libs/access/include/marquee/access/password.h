// Passwords: Argon2id by libsodium, few at a time, so that signing in can exhaust neither memory nor processors.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::access {

/// What one hash costs: `memory_bytes` while it is made, and `passes` over them.
struct PasswordCost {
  std::uint64_t passes = 3;
  std::uint64_t memory_bytes = std::uint64_t{64} << 20;
};

/// 12 to 256 bytes, and not the account's name. No rule asks for kinds of characters (NIST SP 800-63B,
/// section 3.1.1.2).
[[nodiscard]] Result<void> check_password(std::string_view password, std::string_view account);

/// Argon2id with a random salt, as text that holds all that is needed to verify. Blocks for some tenths of a second.
/// Action::retry where there is no memory for it.
[[nodiscard]] Result<std::string> hash_password(const std::string& password, const PasswordCost& cost);
/// Whether it is the password of `hash`. An empty `hash` takes as long as any and is never right. Blocks as long.
[[nodiscard]] bool verify_password(const std::string& password, const std::string& hash, const PasswordCost& cost);
/// Whether it was made at another cost.
[[nodiscard]] bool has_other_cost(const std::string& hash, const PasswordCost& cost);

/// Does such work one after another on a thread of its own, and lets only so much wait. Thread safe.
class PasswordQueue {
 public:
  explicit PasswordQueue(std::size_t most_waiting = 32);
  ~PasswordQueue();  ///< Drops what waits.
  PasswordQueue(const PasswordQueue&) = delete;
  PasswordQueue& operator=(const PasswordQueue&) = delete;

  /// False, and nothing is done, where as much waits already.
  [[nodiscard]] bool submit(std::move_only_function<void()> work);

 private:
  void run();

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace marquee::access
