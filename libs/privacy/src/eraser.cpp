#include "marquee/privacy/eraser.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "marquee/base/logging.h"
#include "marquee/ingest/rollup.h"
#include "marquee/log/erasable.h"
#include "store_eraser.h"

namespace marquee::privacy {
namespace {

using Json = nlohmann::ordered_json;
using catalog::Erasure;

constexpr Millis kPause{1'000};   ///< After a failure.
constexpr Millis kLookEvery{50};  ///< While something is waited for.
constexpr std::uint64_t kLooksOfCleanUp = 20;
constexpr Millis kLandWithin{60'000};
constexpr Millis kGoneWithin{900'000};
/// Between what was received before a job was asked for and its place in the log.
constexpr std::int64_t kOnItsWay = 1'000;

std::int64_t clock_ms() { return SystemClock().now().time_since_epoch().count(); }

Json read_json(const std::string& text) {
  auto json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json::object();
}

/// Appends what was done to the sum of before.
void add(Json& receipt, const char* what, std::uint64_t count) {
  receipt[what] = receipt.value(what, std::uint64_t{0}) + count;
}

std::vector<log::Offset> ends_of(const log::EventLog& log) {
  std::vector<log::Offset> ends;
  for (log::Partition p = 0; p < log.partitions(); ++p) ends.push_back(log.end(p));
  return ends;
}

}  // namespace

struct Eraser::Job {
  Erasure erasure;
  Person person;
  Json plan, receipt;
  StoreEraser rows;
  const std::stop_token& stop;
};

/// A step that is done is not done again, unless its process dies before that is kept.
struct Eraser::Step {
  const char* name;
  Result<void> (Eraser::*run)(Job&);
};

const std::vector<Eraser::Step>& Eraser::steps() {
  static const std::vector<Step> all = {{"forgetting", &Eraser::forget},     {"log", &Eraser::erase_logs},
                                        {"landing", &Eraser::await_landing}, {"counting", &Eraser::look},
                                        {"rows", &Eraser::erase_rows},       {"dead_letters", &Eraser::erase_letters},
                                        {"rollups", &Eraser::count_days},    {"old_parts", &Eraser::purge},
                                        {"looking_again", &Eraser::verify},  {"marks", &Eraser::drop_marks}};
  return all;
}

Eraser::Eraser(catalog::Catalog& catalog, clickhouse::Client& store, Places places)
    : book_(catalog), store_(store), places_(std::move(places)) {}

void Eraser::start() {
  if (!places_.refusal.empty()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Eraser::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<Erasure> Eraser::ask(std::string_view site_id, std::string_view user_id, std::string_view actor) {
  if (!places_.refusal.empty()) return Error::reject(places_.refusal);
  if (user_id.empty()) return Error::reject("user: expected the id that events have of the user");
  Erasure erasure;
  erasure.site_id = site_id;
  erasure.user_key = places_.hash_user(user_id);
  erasure.asked_ms = clock_ms();
  erasure.asked_by = actor;
  erasure.parts_total = steps().size() + 1;
  if (auto kept = book_.add(erasure); !kept) return kept.error();
  logging::info("erasure.asked", {{"id", erasure.id}, {"site", erasure.site_id}});
  const std::lock_guard lock(mutex_);
  has_new_ = true;
  asked_.notify_all();
  return erasure;
}

log::EventLog* Eraser::decisions_log() const { return places_.decisions ? places_.decisions() : nullptr; }

bool Eraser::pause(const std::stop_token& stop, Millis time) {
  std::unique_lock lock(mutex_);
  asked_.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

void Eraser::run(const std::stop_token& stop) {
  StoreEraser rows(store_);
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (!asked_.wait(lock, stop, [this] { return has_new_; })) return;
      has_new_ = false;
    }
    const auto open = book_.open();
    auto done = open ? Result<void>() : Result<void>(open.error());
    // What a process that died has left changed.
    if (done) done = rows.let_old_parts_go(false);
    for (std::size_t i = 0; done && i < open->size(); ++i) done = work((*open)[i], stop);
    if (done) continue;
    if (!stop.stop_requested()) logging::warn("erasure.waits", {{"error", done.error().message}});
    std::unique_lock lock(mutex_);
    has_new_ = true;
    asked_.wait_for(lock, stop, kPause, [] { return false; });
  }
}

Result<void> Eraser::keep(Job& job) {
  job.erasure.plan = job.plan.dump();
  job.erasure.receipt = job.receipt.dump();
  return book_.update(job.erasure);
}

Result<void> Eraser::work(Erasure erasure, const std::stop_token& stop) {
  if (erasure.user_key == 0) return book_.finish(erasure);  // Cut off at its end.
  const Person person{erasure.site_id, erasure.user_key};
  auto plan = read_json(erasure.plan), receipt = read_json(erasure.receipt);
  Job job{std::move(erasure), person, std::move(plan), std::move(receipt), StoreEraser(store_), stop};
  const auto& all = steps();
  auto step = std::ranges::find(all, std::string_view(job.erasure.step), &Step::name);
  if (step == all.end()) step = all.begin();
  // What is kept in memory alone is forgotten again by each process.
  if (step != all.begin())
    if (auto forgotten = forget(job); !forgotten) return fail(job, forgotten.error());
  for (; step != all.end(); ++step) {
    if (stop.stop_requested()) return Error::retry("the process stops");
    job.erasure.step = step->name;
    job.erasure.parts_done = static_cast<std::uint64_t>(step - all.begin()) +
                             (step->run == &Eraser::count_days ? 0 : job.plan.value("days_done", std::uint64_t{0}));
    job.erasure.error = "";
    if (auto kept = keep(job); !kept) return kept;
    const auto counted = job.receipt;
    auto done = job.rows.set(person);
    if (done) done = (this->*step->run)(job);
    if (!done) {
      if (step->run != &Eraser::count_days) job.receipt = counted;  // It is done again as a whole.
      return fail(job, done.error());
    }
    logging::debug("erasure.step_done", {{"id", job.erasure.id}, {"step", step->name}});
  }
  job.erasure.receipt = job.receipt.dump();
  if (auto emptied = job.rows.forget(); !emptied) return fail(job, emptied.error());
  if (auto finished = book_.finish(job.erasure); !finished) return finished;
  logging::info("erasure.done", {{"id", job.erasure.id}, {"receipt", job.erasure.receipt}});
  return {};
}

Result<void> Eraser::fail(Job& job, const Error& error) {
  job.erasure.error = error.message;
  if (auto kept = keep(job); !kept) return kept;
  return error;
}

Result<void> Eraser::forget(Job& job) {
  const auto until = job.erasure.asked_ms;
  if (places_.forget_counts)
    if (auto done = places_.forget_counts(job.person, until); !done) return done;
  // Once: events of the person that came since are of someone new.
  if (!places_.forget_profile || job.receipt.contains("profiles")) return {};
  const auto had_one = places_.forget_profile(job.person, until);
  if (!had_one) return had_one.error();
  job.receipt["profiles"] = *had_one ? 1 : 0;
  return keep(job);
}

Result<void> Eraser::erase_logs(Job& job) {
  const auto until = job.erasure.asked_ms;
  if (const auto wait = until + kOnItsWay - clock_ms(); wait > 0 && !pause(job.stop, Millis(wait)))
    return Error::retry("the process stops");
  const auto erase = [&](log::EventLog& log, const char* name, const log::ErasableLog::IsWanted& is_wanted) {
    const auto ends = ends_of(log);
    for (log::Partition p = 0; p < ends.size(); ++p) {
      const auto erased = log::erase_records(log, p, ends[p], is_wanted);
      if (!erased) return Result<void>(erased.error());
      add(job.receipt, "log_records", erased->records);
      add(job.receipt, "bytes_rewritten", erased->bytes_rewritten);
    }
    job.plan[name] = ends;
    return Result<void>();
  };
  auto done = erase(*places_.events, "events_end",
                    [&](std::string_view record) { return is_event_of(record, job.person, until); });
  auto* decisions = decisions_log();
  if (!done || decisions == nullptr) return done;
  return erase(*decisions, "decisions_end",
               [&](std::string_view record) { return places_.is_decision_of(record, job.person, until); });
}

Result<void> Eraser::await_landing(Job& job) {
  const std::pair<log::EventLog*, const char*> logs[] = {{places_.events, "events_end"},
                                                         {decisions_log(), "decisions_end"}};
  const auto deadline = std::chrono::steady_clock::now() + kLandWithin;
  for (const auto& [log, name] : logs) {
    const auto ends = job.plan.value(name, std::vector<log::Offset>());
    for (log::Partition p = 0; log != nullptr && p < std::min<std::size_t>(ends.size(), log->partitions());) {
      const auto progress = log->progress(p);
      if (!progress) return progress.error();
      if (progress->next >= ends[p]) {
        ++p;
        continue;
      }
      if (std::chrono::steady_clock::now() > deadline) return Error::retry("events of before are not loaded yet");
      if (!pause(job.stop, kLookEvery)) return Error::retry("the process stops");
    }
  }
  return {};
}

Result<void> Eraser::look(Job& job) {
  const auto is_rewound = job.rows.is_rewound();
  if (!is_rewound) return is_rewound.error();
  if (*is_rewound) return Error::retry("history is read again into other tables (`marquee load --from`)");
  const auto until = job.erasure.asked_ms;
  const auto tables = job.rows.tables();
  if (!tables) return tables.error();
  for (const auto& table : *tables) {
    if (table.is_rollup) continue;
    const auto count = job.rows.count(table, until);
    if (!count) return count.error();
    add(job.receipt, table.name.c_str(), *count);
  }
  const auto letters = job.rows.find_letters(job.person, places_.hash_user, until);
  if (!letters) return letters.error();
  add(job.receipt, "dead_letters", *letters);
  const auto found = job.rows.days(until);
  if (!found) return found.error();
  auto days = job.plan.value("days", std::vector<std::string>());  // Looked at again, there may be one more.
  for (const auto& day : *found)
    if (std::ranges::find(days, day) == days.end()) days.push_back(day);
  job.plan["days"] = days;
  job.plan["days_done"] = 0;
  job.erasure.parts_total = steps().size() + 1 + days.size();
  return {};
}

Result<void> Eraser::erase_rows(Job& job) {
  const auto tables = job.rows.tables();
  if (!tables) return tables.error();
  for (const auto& table : *tables) {
    const auto bytes = job.rows.erase(table, job.erasure.asked_ms);
    if (!bytes) return bytes.error();
    add(job.receipt, "bytes_rewritten", *bytes);
  }
  return {};
}

Result<void> Eraser::erase_letters(Job& job) {
  const auto found = job.rows.find_letters(job.person, places_.hash_user, job.erasure.asked_ms);
  if (!found) return found.error();
  return *found == 0 ? Result<void>() : job.rows.erase_letters();
}

Result<void> Eraser::count_days(Job& job) {
  const auto days = job.plan.value("days", std::vector<std::string>());
  const auto before = job.erasure.parts_done;
  for (auto i = job.plan.value("days_done", std::size_t{0}); i < days.size(); ++i) {
    if (job.stop.stop_requested()) return Error::retry("the process stops");
    job.erasure.parts_done = before + i;
    if (const auto rebuilt = ingest::rebuild_days(store_, {days[i]}); !rebuilt) return rebuilt.error();
    const auto bytes = job.rows.rollup_bytes(days[i]);
    if (!bytes) return bytes.error();
    add(job.receipt, "days_rebuilt", 1);
    add(job.receipt, "bytes_rewritten", *bytes);
    job.plan["days_done"] = i + 1;
    if (auto kept = keep(job); !kept) return kept;
  }
  return {};
}

Result<void> Eraser::purge(Job& job) {
  const auto detached = job.rows.drop_detached();
  if (!detached) return detached.error();
  const auto began = job.rows.now_ms();
  if (!began) return began.error();
  // What a power failure could take with the new parts is not let go before those are on the disk.
  if (places_.sync_store) {
    if (auto synced = places_.sync_store(); !synced) return synced;
    if (auto changed = job.rows.let_old_parts_go(true); !changed) return changed;
  }
  auto gone = Result<void>();
  const auto deadline = std::chrono::steady_clock::now() + kGoneWithin;
  for (std::uint64_t looks = 0;; ++looks) {
    if (looks % kLooksOfCleanUp == 0)
      if (gone = job.rows.clean_up(); !gone) break;
    const auto left = job.rows.old_parts(*began);
    if (!left) gone = left.error();
    if (!left || *left == 0) break;
    if (std::chrono::steady_clock::now() > deadline)
      gone = Error::retry(fmt::format("{} parts of before are still on the store's disk", *left));
    if (gone && !pause(job.stop, kLookEvery)) gone = Error::retry("the process stops");
    if (!gone) break;
  }
  if (places_.sync_store)
    if (auto changed = job.rows.let_old_parts_go(false); gone && !changed) gone = changed;
  return gone;
}

/// What landed meanwhile of before is taken out as well.
Result<void> Eraser::verify(Job& job) {
  const auto tables = job.rows.tables();
  if (!tables) return tables.error();
  const auto is_back = job.rows.has_events();
  if (!is_back) return is_back.error();
  std::uint64_t left = 0;
  for (const auto& table : *tables) {
    // Who came back is rightly in what is made of events; else a refresh of a segment may have read them before.
    if (table.time_column.empty() && *is_back) continue;
    const auto count = job.rows.count(table, job.erasure.asked_ms);
    if (!count) return count.error();
    left += *count;
  }
  const auto is_rewound = job.rows.is_rewound();
  if (!is_rewound) return is_rewound.error();
  if (left == 0 && !*is_rewound) return {};
  job.erasure.step = "log";
  return Error::retry(left > 0 ? fmt::format("{} rows of before came meanwhile; they are erased as well", left)
                               : "history is read again into other tables (`marquee load --from`)");
}

Result<void> Eraser::drop_marks(Job& job) {
  return places_.drop_marks ? places_.drop_marks(job.person) : Result<void>();
}

}  // namespace marquee::privacy
