#include "query_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>
#include <utility>

namespace marquee::engine {
namespace {

// No client reads progress faster than this, and each look costs the engine a query.
constexpr std::chrono::milliseconds kShortest{20};
// A statement may not have begun when its client leaves, so it is ended again until it is gone.
constexpr std::chrono::milliseconds kAgain{50};

std::string quoted_list(const std::vector<std::string>& marks) {
  std::vector<std::string> quoted;
  std::ranges::transform(marks, std::back_inserter(quoted), [](const auto& mark) { return quote_text(mark); });
  return fmt::format("{}", fmt::join(quoted, ", "));
}

/// Numbers of a line of TSV; those that are missing stay 0.
std::array<std::uint64_t, 9> numbers(std::string_view line) {
  std::array<std::uint64_t, 9> out{};
  for (std::uint64_t& number : out) {
    const std::size_t end = std::min(line.find('\t'), line.size());
    std::from_chars(line.data(), line.data() + end, number);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

/// By mark; what has ended meanwhile is not among them.
std::map<std::string, Progress> look(Pool& pool, const std::vector<std::string>& marks) {
  std::map<std::string, Progress> seen;
  auto connection = pool.lend();
  if (!connection) return seen;
  const auto rows =
      (*connection)
          ->query(fmt::format(
                      "SELECT indexOf([{}], Settings['log_comment']) AS place, read_rows, read_bytes, written_rows, "
                      "written_bytes, total_rows_approx, peak_memory_usage, ProfileEvents['RealTimeMicroseconds'], "
                      "toUInt64(elapsed * 1e9) FROM system.processes WHERE place > 0",
                      quoted_list(marks)),
                  "TSV");
  if (!rows) return seen;
  for (std::size_t begin = 0, end = 0; (end = rows->find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto row = numbers(std::string_view(*rows).substr(begin, end - begin));
    if (row[0] == 0 || row[0] > marks.size()) continue;
    const auto memory = static_cast<std::int64_t>(row[6]);  // Can be below zero for a moment, and then is 0.
    seen[marks[row[0] - 1]] = {.read_rows = row[1],
                               .read_bytes = row[2],
                               .written_rows = row[3],
                               .written_bytes = row[4],
                               .elapsed_ns = row[8],
                               .total_rows_to_read = std::max(row[5], row[1]),
                               .memory_usage = static_cast<std::uint64_t>(std::max<std::int64_t>(memory, 0)),
                               .real_time_microseconds = row[7]};
  }
  return seen;
}

}  // namespace

QueryWatch::Held::~Held() {
  const std::scoped_lock lock(watch_->mutex_);
  watch_->statements_.erase(place_);
}

QueryWatch::QueryWatch(Pool& pool) : pool_(pool), thread_([this] { run(); }) {}

QueryWatch::~QueryWatch() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

QueryWatch::Held QueryWatch::watch(Statement statement) {
  statement.interval = std::max(statement.interval, kShortest);
  statement.due = Clock::now() + statement.interval;
  const auto due = statement.due;
  std::unique_lock lock(mutex_);
  const auto place = statements_.insert(statements_.end(), std::move(statement));
  // Most statements end before anything is due: they do not wake the watch.
  const bool is_sooner = due < wakes_;
  lock.unlock();
  if (is_sooner) changed_.notify_all();
  return {this, place};
}

void QueryWatch::look_now() {
  {
    const std::scoped_lock lock(mutex_);
    must_look_ = true;
  }
  changed_.notify_all();
}

namespace {

bool has_left(const QueryWatch::Statement& statement) { return statement.client && statement.client->has_left; }

}  // namespace

QueryWatch::Clock::time_point QueryWatch::next_due() const {
  auto next = Clock::time_point::max();
  for (const Statement& statement : statements_) {
    if (statement.on_progress || has_left(statement)) next = std::min(next, statement.due);
  }
  return next;
}

std::vector<std::string> QueryWatch::take_due(bool of_those_left, Clock::time_point now) {
  std::vector<std::string> out;
  for (Statement& statement : statements_) {
    if (has_left(statement) != of_those_left || (!of_those_left && (!statement.on_progress || now < statement.due)))
      continue;
    statement.due = now + (of_those_left ? kAgain : statement.interval);
    out.push_back(statement.mark);
  }
  return out;
}

// The engine is asked without the mutex, so that statements begin and end meanwhile.
void QueryWatch::tell_progress(std::unique_lock<std::mutex>& lock, Clock::time_point now) {
  const auto wanted = take_due(false, now);
  if (wanted.empty()) return;
  lock.unlock();
  const auto seen = look(pool_, wanted);
  lock.lock();
  for (const Statement& statement : statements_) {
    const auto found = seen.find(statement.mark);
    if (statement.on_progress && found != seen.end()) statement.on_progress(found->second);
  }
}

void QueryWatch::end_abandoned(std::unique_lock<std::mutex>& lock, Clock::time_point now) {
  const auto abandoned = take_due(true, now);
  if (abandoned.empty()) return;
  lock.unlock();
  {
    auto connection = pool_.lend();
    // What it says is of no use: who is still there is ended again.
    if (connection) {
      static_cast<void>(
          (*connection)
              ->query(fmt::format("KILL QUERY WHERE Settings['log_comment'] IN ({}) ASYNC", quoted_list(abandoned)),
                      "Null"));
    }
  }
  lock.lock();
}

void QueryWatch::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    wakes_ = next_due();
    if (!must_look_) {
      if (wakes_ == Clock::time_point::max()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, wakes_);
      }
    }
    must_look_ = false;
    const auto now = Clock::now();
    end_abandoned(lock, now);
    tell_progress(lock, now);
  }
}

}  // namespace marquee::engine
