#include "session_log.h"

#include <chrono>

#include "marquee/base/json_text.h"

namespace marquee::engine {
namespace {

constexpr std::size_t kMostSessionsWaiting = 1'000;
constexpr std::size_t kMostOfName = 256;

constexpr std::string_view kSessionTable = R"(CREATE TABLE IF NOT EXISTS system.session_log (
  type Enum8('LoginFailure' = 0, 'LoginSuccess' = 1, 'Logout' = 2),
  session_id String,
  event_date Date DEFAULT toDate(event_time_microseconds),
  event_time DateTime DEFAULT toDateTime(event_time_microseconds),
  event_time_microseconds DateTime64(6),
  user Nullable(String), interface LowCardinality(String) DEFAULT 'HTTP',
  client_address String, client_name String, failure_reason String)
  ENGINE = Memory SETTINGS max_rows_to_keep = 5000, max_bytes_to_keep = 16777216)";

}  // namespace

Result<void> SessionLog::create(Pool& pool) {
  auto connection = pool.lend();
  if (!connection) return Error::give_up(connection.error().message);
  if (auto made = (*connection)->query(kSessionTable, "Null"); !made) return Error::give_up(made.error().message);
  return {};
}

void SessionLog::add(const StoreRequest& request, const Failure* refused) {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
  std::string row;
  JsonObject object(row);
  object.text("type", refused == nullptr ? "LoginSuccess" : "LoginFailure");
  object.text("session_id", request.session_id);
  object.number("event_time_microseconds", duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
  object.text("user", request.user.substr(0, kMostOfName));
  object.text("client_address", request.remote_address);
  object.text("client_name", request.user_agent.substr(0, kMostOfName));
  if (refused != nullptr) object.text("failure_reason", refused->message);
  object.end();
  const std::scoped_lock lock(mutex_);
  waiting_.push_back(std::move(row));
  if (waiting_.size() > kMostSessionsWaiting) waiting_.pop_front();
}

void SessionLog::flush(Pool& pool) {
  std::deque<std::string> rows;
  {
    const std::scoped_lock lock(mutex_);
    rows.swap(waiting_);
  }
  if (rows.empty()) return;
  std::string data;
  for (const std::string& row : rows) data += row + '\n';
  auto connection = pool.lend();
  // A log that cannot be written is no reason to refuse the statement that asks for it.
  if (connection) static_cast<void>((*connection)->insert("INSERT INTO system.session_log", "JSONEachRow", {}, data));
}

}  // namespace marquee::engine
