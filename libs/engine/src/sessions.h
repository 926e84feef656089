// Sessions of ClickHouse's HTTP interface: what a client's statements leave (temporary tables, SET, USE) for its next
// ones.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/engine/pool.h"

namespace marquee::engine {

/// Thread safe. A session holds a connection only from the first statement on that may leave something.
class Sessions {
 public:
  using Clock = std::chrono::steady_clock;

  struct Wish {
    std::string name;                  ///< Of the session, with its user: sessions of others are others.
    std::chrono::seconds timeout{60};  ///< It ends when unused for so long.
    bool must_exist = false;
    bool ends_after = false;
  };

  /// A session in use; nobody else's until this goes.
  class Held {
   public:
    Held(Sessions* all, Wish wish, std::unique_ptr<Pool::Lease> connection);
    ~Held();
    Held(Held&& other) noexcept;
    Held& operator=(Held&&) = delete;
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    /// The session's connection; empty while it has none of its own.
    [[nodiscard]] std::unique_ptr<Pool::Lease>& connection() { return connection_; }

   private:
    Sessions* all_;
    Wish wish_;
    std::unique_ptr<Pool::Lease> connection_;
  };

  explicit Sessions(std::size_t most) : most_(most) {}

  /// Begins or continues a session. SESSION_IS_LOCKED, SESSION_NOT_FOUND, or TOO_MANY_SIMULTANEOUS_QUERIES where there
  /// are as many as there may be.
  [[nodiscard]] Answer<Held> take(const Wish& wish);
  /// Ends those that were unused for their time.
  void expire(Clock::time_point now);

 private:
  struct Session {
    bool in_use = false;
    Clock::time_point ends{};
    std::unique_ptr<Pool::Lease> connection;
  };
  void give_back(const Wish& wish, std::unique_ptr<Pool::Lease> connection);

  const std::size_t most_;
  std::mutex mutex_;
  std::map<std::string, Session> sessions_;
};

/// What a request changes on its session's connection for itself alone (settings, database), to be taken back after it.
class Overlay {
 public:
  /// Remembers what `settings` and, where not empty, `database` replace. Fails where the connection does not answer.
  [[nodiscard]] static Answer<Overlay> over(Connection& connection, const Settings& settings,
                                            std::string_view database);
  /// False where the connection is not as it was, and so of no further use.
  [[nodiscard]] bool take_back(Connection& connection) const;

 private:
  std::vector<std::string> statements_;
};

}  // namespace marquee::engine
