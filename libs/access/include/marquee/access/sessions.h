// Sessions of browsers that are signed in.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/catalog/accounts.h"

namespace marquee::access {

struct SessionRules {
  Millis idle{12 * 3'600'000LL};          ///< One that nothing was asked by for so long has ended.
  Millis lifetime{7 * 24 * 3'600'000LL};  ///< So has one that began so long ago.
  Millis keep_every{30'000};              ///< How often it is written down when sessions were seen.
};

struct SignedIn {
  catalog::Account account;
  std::string session;  ///< Its hash.
};

/// Thread safe. Who is looked up waits for nothing; beginning and ending one blocks while the catalog writes it. What
/// was seen in the last `keep_every` is lost with the process, so a session may end that much earlier.
class Sessions {
 public:
  Sessions(catalog::AccountBook book, SessionRules rules, std::shared_ptr<const Clock> clock);
  ~Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// The secret of a new one: 64 hexadecimal digits, of 256 random bits, of which only a hash is kept. `password`: the
  /// hash of the one that was right; Action::reject where it has been changed meanwhile, or the account is gone.
  [[nodiscard]] Result<std::string> begin(const std::string& account, const std::string& password,
                                          const std::string& note);
  /// Whose it is, and that it was seen. None where it has ended.
  [[nodiscard]] std::optional<SignedIn> find(std::string_view secret);
  /// Whether the session of this hash goes on; sees nothing.
  [[nodiscard]] bool goes_on(std::string_view hash) const;
  [[nodiscard]] Result<void> end(std::string_view hash, std::string_view account);
  [[nodiscard]] const SessionRules& rules() const { return rules_; }

 private:
  [[nodiscard]] std::optional<catalog::AccountSession> living(std::string_view hash) const;
  void keep();
  void run();

  catalog::AccountBook book_;
  const SessionRules rules_;
  const std::shared_ptr<const Clock> clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, std::int64_t> seen_;  ///< What is not written down yet, by hash.
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace marquee::access
