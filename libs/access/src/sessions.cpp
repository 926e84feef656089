#include "marquee/access/sessions.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "marquee/base/logging.h"

namespace marquee::access {
namespace {

std::string new_session_secret() {
  unsigned char bytes[32];
  randombytes_buf(bytes, sizeof bytes);
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace

Sessions::Sessions(catalog::AccountBook book, SessionRules rules, std::shared_ptr<const Clock> clock)
    : book_(book), rules_(rules), clock_(std::move(clock)), thread_([this] { run(); }) {}

Sessions::~Sessions() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  keep();
}

Result<std::string> Sessions::begin(const std::string& account, const std::string& password, const std::string& note) {
  auto secret = new_session_secret();
  const std::int64_t now = clock_->now().time_since_epoch().count();
  const auto begun = book_.begin_session(
      {.hash = catalog::hash_of_secret(secret), .account = account, .made_ms = now, .seen_ms = now}, password, note);
  if (!begun) return begun.error();
  if (*begun != catalog::Edit::done) return Error::reject("the account was changed meanwhile: sign in again");
  return secret;
}

std::optional<catalog::AccountSession> Sessions::living(std::string_view hash) const {
  auto session = book_.session(hash);
  if (!session) return std::nullopt;
  {
    const std::lock_guard lock(mutex_);
    const auto seen = seen_.find(session->hash);
    if (seen != seen_.end()) session->seen_ms = std::max(session->seen_ms, seen->second);
  }
  const std::int64_t now = clock_->now().time_since_epoch().count();
  if (now - session->made_ms >= rules_.lifetime.count() || now - session->seen_ms >= rules_.idle.count())
    return std::nullopt;
  return session;
}

std::optional<SignedIn> Sessions::find(std::string_view secret) {
  const auto session = living(catalog::hash_of_secret(secret));
  if (!session) return std::nullopt;
  auto account = book_.find(session->account);
  if (!account) return std::nullopt;
  const std::lock_guard lock(mutex_);
  seen_[session->hash] = clock_->now().time_since_epoch().count();
  return SignedIn{std::move(*account), session->hash};
}

bool Sessions::goes_on(std::string_view hash) const { return living(hash).has_value(); }

Result<void> Sessions::end(std::string_view hash, std::string_view account) {
  return book_.end_session(hash, account, "signed out");
}

void Sessions::keep() {
  std::vector<std::pair<std::string, std::int64_t>> seen;
  {
    const std::lock_guard lock(mutex_);
    seen.assign(seen_.begin(), seen_.end());
  }
  if (book_.is_empty()) return;
  const std::int64_t now = clock_->now().time_since_epoch().count();
  if (const auto kept = book_.keep_sessions(seen, now - rules_.lifetime.count(), now - rules_.idle.count()); !kept) {
    logging::warn("access.sessions_not_kept", {{"error", kept.error().message}});
    return;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [hash, time] : seen) {
    const auto found = seen_.find(hash);
    if (found != seen_.end() && found->second == time) seen_.erase(found);
  }
}

void Sessions::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    changed_.wait_for(lock, rules_.keep_every);
    if (is_stopping_) return;
    lock.unlock();
    keep();
    lock.lock();
  }
}

}  // namespace marquee::access
