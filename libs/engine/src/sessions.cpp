#include "sessions.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace marquee::engine {

Sessions::Held::Held(Sessions* all, Wish wish, std::unique_ptr<Pool::Lease> connection)
    : all_(all), wish_(std::move(wish)), connection_(std::move(connection)) {}

Sessions::Held::~Held() {
  if (all_ != nullptr) all_->give_back(wish_, std::move(connection_));
}

Sessions::Held::Held(Held&& other) noexcept
    : all_(std::exchange(other.all_, nullptr)),
      wish_(std::move(other.wish_)),
      connection_(std::move(other.connection_)) {}

Answer<Sessions::Held> Sessions::take(const Wish& wish) {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(wish.name);
  if (found == sessions_.end()) {
    if (wish.must_exist) {
      return std::unexpected(failure(kSessionNotFound, "SESSION_NOT_FOUND", "Session not found."));
    }
    if (sessions_.size() >= most_) {
      return std::unexpected(failure(kTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES",
                                     "there are too many sessions; end some (close_session=1), or give them less "
                                     "session_timeout"));
    }
    sessions_[wish.name].in_use = true;
    return Held(this, wish, nullptr);
  }
  Session& session = found->second;
  if (session.in_use) {
    return std::unexpected(failure(kSessionIsLocked, "SESSION_IS_LOCKED", "Session is locked by a concurrent client."));
  }
  session.in_use = true;
  auto connection = std::move(session.connection);
  return Held(this, wish, std::move(connection));
}

void Sessions::give_back(const Wish& wish, std::unique_ptr<Pool::Lease> connection) {
  const std::scoped_lock lock(mutex_);
  const auto found = sessions_.find(wish.name);
  if (found == sessions_.end()) return;
  if (wish.ends_after) {
    sessions_.erase(found);
    return;
  }
  found->second.in_use = false;
  found->second.ends = Clock::now() + wish.timeout;
  found->second.connection = std::move(connection);
}

void Sessions::expire(Clock::time_point now) {
  std::vector<Session> ended;  // Their connections close without the lock.
  const std::scoped_lock lock(mutex_);
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    if (!at->second.in_use && at->second.ends <= now) {
      ended.push_back(std::move(at->second));
      at = sessions_.erase(at);
    } else {
      ++at;
    }
  }
}

Answer<Overlay> Overlay::over(Connection& connection, const Settings& settings, std::string_view database) {
  Overlay overlay;
  if (!settings.empty()) {
    std::string names;
    for (const auto& [name, value] : settings) names += (names.empty() ? "" : ", ") + quote_text(name);
    // The engine itself writes the statement that brings them back, with its own quotes.
    auto back = connection.query(
        "SELECT arrayStringConcat(groupArray(concat('`', name, '` = ', if(changed, concat('\\'', replaceAll(replaceAll("
        "value, '\\\\', '\\\\\\\\'), '\\'', '\\\\\\''), '\\''), 'DEFAULT'))), ', ') FROM system.settings WHERE name IN "
        "(" +
            names + ")",
        "RawBLOB");
    if (!back) return std::unexpected(back.error());
    if (!back->empty()) overlay.statements_.push_back("SET " + *back);
  }
  if (!database.empty()) {
    auto before = connection.query("SELECT currentDatabase()", "RawBLOB");
    if (!before) return std::unexpected(before.error());
    overlay.statements_.push_back("USE " + quote_name(*before));
  }
  return overlay;
}

bool Overlay::take_back(Connection& connection) const {
  return std::ranges::all_of(statements_,
                             [&](const std::string& sql) { return connection.query(sql, "Null").has_value(); });
}

}  // namespace marquee::engine
