#include "marquee/profile/profile_feeder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "erasures.h"
#include "feeder_metrics.h"
#include "marquee/base/logging.h"
#include "marquee/log/current_end.h"
#include "marquee/log/erasable.h"

namespace marquee::profile {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kReadRecords = 4'096;
constexpr std::size_t kReadBytes = 4U << 20;
constexpr Millis kIdlePoll{100};  ///< How soon an idle follower sees that the feeder stops.
constexpr Millis kFailurePause{500};
constexpr Millis kShowEvery{1'000};  ///< Metrics.

std::int64_t now_ms() { return SystemClock().now().time_since_epoch().count(); }

}  // namespace

class ProfileFeeder::Impl {
 public:
  Impl(log::EventLog& log, std::size_t capacity, ProfileFeederOptions options)
      : log_(log),
        capacity_(capacity),
        options_(std::move(options)),
        metrics_(options_.metrics),
        has_begun_(log.partitions()),
        first_ends_(log.partitions()) {}

  ~Impl() {
    if (told_) told_->stop();
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    stopping_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    if (!threads_.empty()) note(save());
  }

  Result<void> start() {
    std::error_code code;
    std::filesystem::create_directories(options_.directory, code);
    std::vector<std::pair<ProfileId, log::Offset>> erased;
    auto erasures = Erasures::open(options_.directory + "/erased",
                                   [&](ProfileId id, log::Offset before) { erased.emplace_back(id, before); });
    if (!erasures) return erasures.error();
    erasures_ = std::move(*erasures);
    make_store(erased);
    auto in_force = load();
    if (!in_force) {
      if (in_force.error().action != Action::give_up) return in_force.error();
      logging::warn("profile.snapshot_not_used", {{"reason", in_force.error().message}});
      make_store(erased);
      in_force = log::Offset{0};
    }
    if (auto heard = hear_erasures(*in_force); !heard) return heard;
    for (log::Partition p = 0; p < log_.partitions(); ++p) threads_.emplace_back([this, p] { follow(p); });
    threads_.emplace_back([this] { keep_house(); });
    if (told_) told_->start();
    return {};
  }

  ProfileStore& store() { return *store_; }

  Result<void> erase(std::string_view site_id, std::uint64_t user_key) {
    const auto id = profile_id(site_id, user_key);
    if (!id) return Error::reject("a user without key has no profile");
    const log::Offset before = store_->erase(*id, {.before = log_.end(store_->partition_of(*id))});
    if (auto kept = erasures_->add(*id, before); !kept) return kept;
    note(save());
    return {};
  }

  void erase(const Erasure& erasure) {
    if (const auto id = profile_id(erasure.site_id, erasure.user_key))
      store_->erase(*id, {.before = erasure.before, .received_ms = erasure.asked_ms});
  }

  Result<void> drop_mark(std::string_view site_id, std::uint64_t user_key) {
    const auto id = profile_id(site_id, user_key);
    if (!id) return {};
    if (auto saved = save(); !saved) return saved;  // A snapshot of before would bring the profile back.
    return erasures_->remove(*id);
  }

  Result<void> save() {
    const std::lock_guard lock(save_mutex_);
    const auto began = Steady::now();
    auto saved = store_->save(snapshot(), erasures_heard_);
    metrics_.snapshot_seconds.Set(std::chrono::duration<double>(Steady::now() - began).count());
    if (!saved) metrics_.snapshot_failures.Increment();
    return saved;
  }

  std::uint64_t lag() const {
    std::uint64_t lag = 0;
    for (log::Partition p = 0; p < log_.partitions(); ++p) {
      const log::Offset next = store_->next(p);  // Before end(), which only grows.
      lag += log_.end(p) - std::min(next, log_.end(p));
    }
    return lag;
  }

  bool has_begun() const {
    return std::ranges::all_of(has_begun_, [](const std::atomic<bool>& one) { return one.load(); });
  }

 private:
  [[nodiscard]] std::string snapshot() const { return options_.directory + "/snapshot"; }

  void note(const Result<void>& saved) {
    if (!saved) logging::warn("profile.snapshot_failed", {{"reason", saved.error().message}});
  }

  void make_store(const std::vector<std::pair<ProfileId, log::Offset>>& erased) {
    store_ =
        std::make_unique<ProfileStore>(ProfileStoreOptions{.partitions = log_.partitions(), .capacity = capacity_});
    for (const auto& [id, before] : erased) store_->keep_erased(id, {.before = before});
  }

  /// How many of the shared erasures are in force in the snapshot.
  Result<log::Offset> load() {
    const auto loaded = store_->load(snapshot());
    if (!loaded) return loaded.error();
    for (log::Partition p = 0; p < log_.partitions(); ++p) {
      // Where brokers do not tell the end, the snapshot would be taken for one of another log.
      const auto end = log::current_end(log_, p);
      if (!end) return end.error();
      if (store_->next(p) > *end)
        return Error::give_up(fmt::format("partition {} of the log ends at {}, and the snapshot knows it up to {}", p,
                                          *end, store_->next(p)));
    }
    return loaded->value_or(0);
  }

  /// Those before `in_force` forbid events of before alone: who came since is in the snapshot. Of the rest the snapshot
  /// may hold what is to go, however far it knows the events.
  Result<void> hear_erasures(log::Offset in_force) {
    if (options_.erasures == nullptr) return {};
    const auto end = log::current_end(*options_.erasures, 0);
    if (!end) return end.error();
    if (in_force > *end) in_force = 0;  // The log was made anew.
    told_ = std::make_unique<ErasureReader>(*options_.erasures, [this, in_force](std::span<const ToldErasure> told) {
      for (const auto& [erasure, offset] : told) {
        const auto id = profile_id(erasure.site_id, erasure.user_key);
        if (id && offset < in_force)
          store_->keep_erased(*id, {.before = erasure.before, .received_ms = erasure.asked_ms});
        else
          erase(erasure);
      }
      erasures_heard_ = told.back().offset + 1;
      is_to_save_ = is_to_save_ || told.back().offset >= in_force;
    });
    return told_->catch_up();
  }

  /// False where the feeder stops.
  bool pause(Millis time) {
    std::unique_lock lock(mutex_);
    return !stopping_.wait_for(lock, time, [this] { return is_stopping_; });
  }
  bool is_stopping() {
    const std::lock_guard lock(mutex_);
    return is_stopping_;
  }

  void follow(log::Partition partition) {
    PropsReader reader;
    bool has_failed = false;
    while (!is_stopping()) {
      const auto read = read_some(partition, reader);
      if (!has_begun_[partition]) look_whether_begun(partition, read.has_value());
      if (read && *read) {
        has_failed = false;
        continue;
      }
      if (read) {
        if (!log_.wait_for(partition, store_->next(partition), kIdlePoll) && !pause(Millis(1))) return;
        continue;
      }
      if (!has_failed)
        logging::warn("profile.read_failed", {{"partition", partition}, {"reason", read.error().message}});
      has_failed = true;
      if (!pause(kFailurePause)) return;
    }
  }

  void look_whether_begun(log::Partition partition, bool reads) {
    if (!reads && store_->next(partition) < log_.begin(partition)) has_begun_[partition] = true;  // The history.
    auto& first_end = first_ends_[partition];
    if (!first_end)
      if (const auto end = log::current_end(log_, partition)) first_end = *end;
    if (first_end && store_->next(partition) >= *first_end) has_begun_[partition] = true;
  }

  /// False where there is nothing more to read just now.
  Result<bool> read_some(log::Partition partition, PropsReader& reader) {
    const log::Offset next = store_->next(partition);
    if (const log::Offset begin = log_.begin(partition); next < begin)
      return read_history(partition, {next, begin}, reader);
    const auto records = log_.read(partition, next, kReadRecords, kReadBytes);
    if (!records) return records.error();
    std::array<std::uint64_t, kOutcomes> outcomes{};
    std::int64_t received_ms = 0;
    log::Offset offset = records->first;
    for (const std::string_view record : records->records) {
      const auto event = event::decode(record);
      if (event && event::check(*event)) {
        ++outcomes[static_cast<std::size_t>(observe(*store_, reader, {partition, offset}, *event))];
        received_ms = event->received_time_ms;
      } else if (!log::is_erased(record)) {
        metrics_.unreadable.Increment();
      }
      ++offset;
    }
    if (offset == next) return false;
    store_->advance(partition, offset);
    metrics_.count(outcomes);
    if (received_ms > 0)
      metrics_.freshness_seconds.Observe(static_cast<double>(std::max<std::int64_t>(now_ms() - received_ms, 0)) /
                                         1'000);
    return true;
  }

  Result<bool> read_history(log::Partition partition, log::Range range, PropsReader& reader) {
    if (options_.history) {
      std::array<std::uint64_t, kOutcomes> outcomes{};
      const auto read = options_.history->read(partition, range, [&](log::Offset offset, const event::Event& event) {
        ++outcomes[static_cast<std::size_t>(observe(*store_, reader, {partition, offset}, event))];
        return !is_stopping();
      });
      metrics_.count(outcomes);
      if (!read) return read.error();
      if (is_stopping()) return true;
    } else {
      logging::warn("profile.history_not_known",
                    {{"partition", partition}, {"events", range.size()}, {"reason", "the log no longer keeps them"}});
    }
    store_->advance(partition, range.end);
    return true;
  }

  void keep_house() {
    auto next_save = Steady::now() + options_.snapshot_every;
    while (pause(std::min(kShowEvery, options_.snapshot_every))) {
      metrics_.show(store_->state(), lag());
      if (Steady::now() < next_save && !is_to_save_.exchange(false)) continue;
      note(save());
      next_save = Steady::now() + options_.snapshot_every;
    }
  }

  log::EventLog& log_;
  const std::size_t capacity_;
  const ProfileFeederOptions options_;
  FeederMetrics metrics_;
  std::unique_ptr<ProfileStore> store_;
  std::unique_ptr<Erasures> erasures_;
  std::atomic<log::Offset> erasures_heard_ = 0;  ///< Of the shared ones: those before are in force.
  std::atomic<bool> is_to_save_ = false;         ///< The snapshot on the disk has who was erased.
  std::vector<std::atomic<bool>> has_begun_;     ///< By partition: what the log had is known.
  /// By partition, of its thread alone: where it ended at first.
  std::vector<std::optional<log::Offset>> first_ends_;
  std::mutex save_mutex_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;  ///< Guarded by mutex_.
  std::vector<std::thread> threads_;
  std::unique_ptr<ErasureReader> told_;
};

ProfileFeeder::ProfileFeeder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProfileFeeder::~ProfileFeeder() = default;

Result<std::unique_ptr<ProfileFeeder>> ProfileFeeder::open(log::EventLog& log, std::size_t capacity,
                                                           ProfileFeederOptions options) {
  auto impl = std::make_unique<Impl>(log, capacity, std::move(options));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<ProfileFeeder>(new ProfileFeeder(std::move(impl)));
}

ProfileStore& ProfileFeeder::store() { return impl_->store(); }
Result<void> ProfileFeeder::erase(std::string_view site_id, std::uint64_t user_key) {
  return impl_->erase(site_id, user_key);
}
void ProfileFeeder::erase(const Erasure& erasure) { impl_->erase(erasure); }
Result<void> ProfileFeeder::drop_mark(std::string_view site_id, std::uint64_t user_key) {
  return impl_->drop_mark(site_id, user_key);
}
Result<void> ProfileFeeder::save() { return impl_->save(); }
bool ProfileFeeder::has_begun() const { return impl_->has_begun(); }
std::uint64_t ProfileFeeder::lag() const { return impl_->lag(); }

}  // namespace marquee::profile
