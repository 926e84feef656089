#include "marquee/ingest/loader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "first_line.h"
#include "loader_lander.h"
#include "marquee/base/logging.h"
#include "marquee/ingest/rewind.h"

namespace marquee::ingest {
namespace {

constexpr auto kShowEvery = std::chrono::seconds(1);
constexpr const char* kBootFile = "/loader-boot-id";

/// "host:pid"
std::string process_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}:{}", host.data(), ::getpid());
}

/// Durable: a boot id that is lost with the power only costs another count.
void write_boot_id(const std::string& path, const std::string& id) {
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool is_written = file >= 0 && ::write(file, id.data(), id.size()) == static_cast<ssize_t>(id.size());
  is_written = is_written && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (!is_written || std::rename(fresh.c_str(), path.c_str()) != 0) {
    logging::warn("loader.boot_id_not_kept", {{"path", path}, {"error", std::strerror(errno)}});
  }
}

}  // namespace

class Loader::Impl final : public log::Follower {
 public:
  Impl(LoaderOptions options, log::EventLog& log, std::vector<clickhouse::Client*> shards)
      : options_(std::move(options)), log_(log), shards_(std::move(shards)) {
    options_.replicated = options_.replicated || shards_.size() > 1;  // An insert is of one shard.
  }

  void start() {
    {
      const std::lock_guard lock(mutex_);
      if (context_) return;
      const std::string boot_id = first_line("/proc/sys/kernel/random/boot_id");
      const std::string boot_file = options_.directory + kBootFile;
      const bool verify = !options_.directory.empty() && (boot_id.empty() || first_line(boot_file) != boot_id);
      if (verify) std::filesystem::create_directories(options_.directory, ignored_);
      to_verify_ = log_.partitions();
      context_ = std::make_unique<LoaderContext>(options_, log_, shards_);
      context_->on_landed = on_landed_;
      context_->verify_kept_log = verify;
      context_->on_verified = [this, boot_file, boot_id] {
        if (--to_verify_ == 0) write_boot_id(boot_file, boot_id);
      };
      const auto inserters = std::clamp<std::size_t>(options_.inserters, 1, log_.partitions());
      for (std::size_t i = 0; i < inserters; ++i) landers_.push_back(std::make_unique<Lander>(*context_));
      for (auto& lander : landers_) lander->start();
    }
    log_.follow(*this);
    if (options_.report_ms != 0) reporter_ = std::jthread([this](std::stop_token stop) { report(std::move(stop)); });
    // Not by the reporter: a store that hangs would keep it from showing that nothing lands.
    gauge_keeper_ = std::jthread([this](std::stop_token stop) { keep_gauges(std::move(stop)); });
    // Replicated tables are not rewound.
    if (!options_.replicated) caretaker_ = std::jthread([this](std::stop_token stop) { take_care(std::move(stop)); });
  }

  void stop() {
    // Threads are joined without the lock, so that status() answers while a slow insert ends.
    {
      const std::lock_guard lock(mutex_);
      for (auto& lander : landers_) lander->request_stop();
    }
    const std::lock_guard lock(stop_mutex_);
    for (std::jthread* thread : {&reporter_, &gauge_keeper_, &caretaker_}) {
      thread->request_stop();
      if (thread->joinable()) thread->join();
    }
    for (auto& lander : landers_) lander->join();
    if (!landers_.empty()) log_.unfollow();
  }

  void take(const std::vector<log::Partition>& partitions) override {
    has_joined_ = true;
    for (const log::Partition partition : partitions) lander_of(partition).take(partition);
  }

  void release(const std::vector<log::Partition>& partitions, bool is_lost) override {
    if (is_lost) has_joined_ = false;
    for (const log::Partition partition : partitions) lander_of(partition).release(partition, is_lost);
  }

  LoaderStatus status() const {
    const std::lock_guard lock(mutex_);
    LoaderStatus sum;
    sum.has_joined = has_joined_;
    for (const auto& lander : landers_) lander->add_status(sum);
    if (context_) {
      sum.recoveries = context_->recoveries;
      sum.last_error = context_->last_error();
    }
    return sum;
  }

  std::vector<PartitionStatus> partitions() const {
    const std::lock_guard lock(mutex_);
    std::vector<PartitionStatus> all;
    for (const auto& lander : landers_) lander->add_partitions(all);
    for (PartitionStatus& one : all) one.loader = name_;
    return all;
  }

  void on_landed(std::function<void(std::uint64_t)> callback) { on_landed_ = std::move(callback); }

 private:
  /// Tells the store how each partition stands: while anything happens, and now and then.
  void report(std::stop_token stop) {
    constexpr auto kAtLeastEvery = std::chrono::seconds(30);
    std::map<log::Partition, PartitionStatus> told;
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, std::chrono::milliseconds(options_.report_ms),
                             [&] { return stop.stop_requested(); })) {
      std::vector<PartitionStatus> news;
      for (PartitionStatus& one : partitions()) {
        const auto before = told.find(one.partition);
        const bool is_new = before == told.end() || one.events_landed < before->second.events_landed;
        const auto passed = is_new ? 0 : one.time_ms - before->second.time_ms;
        if (passed > 0)
          one.events_per_second = static_cast<double>(one.events_landed - before->second.events_landed) * 1'000 /
                                  static_cast<double>(passed);
        const bool is_old = is_new || passed >= std::chrono::milliseconds(kAtLeastEvery).count();
        const bool is_same = !is_new && one.events_landed == before->second.events_landed &&
                             one.dead_letters == before->second.dead_letters &&
                             one.last_error == before->second.last_error && before->second.events_per_second == 0 &&
                             (one.lag_events() == 0) == (before->second.lag_events() == 0);
        if (is_same && !is_old) continue;
        news.push_back(one);
      }
      if (news.empty() || !write_pipeline(*shards_.front(), news)) continue;
      for (PartitionStatus& one : news) told[one.partition] = std::move(one);
    }
  }

  void keep_gauges(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    do {
      context_->metrics.show(partitions());
    } while (!stopped.wait_for(lock, stop, kShowEvery, [&] { return stop.stop_requested(); }));
  }

  /// Somebody who died in the middle of a rebuild or a rewind keeps inserts waiting until another finishes it.
  void take_care(std::stop_token stop) {
    constexpr auto kEvery = std::chrono::seconds(5);
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kEvery, [&] { return stop.stop_requested(); })) {
      if (auto cleared = clear_left(*shards_.front()); !cleared && cleared.error().action != Action::retry)
        logging::warn("loader.cannot_clear", {{"error", cleared.error().message}});
    }
  }

  /// The landers are made before the log is followed and stay.
  Lander& lander_of(log::Partition partition) { return *landers_[partition % landers_.size()]; }

  LoaderOptions options_;
  log::EventLog& log_;
  std::vector<clickhouse::Client*> shards_;
  const std::string name_ = process_name();
  std::function<void(std::uint64_t)> on_landed_;
  mutable std::mutex mutex_;
  std::mutex stop_mutex_;
  std::error_code ignored_;
  std::atomic<log::Partition> to_verify_{0};
  std::atomic<bool> has_joined_{false};
  std::unique_ptr<LoaderContext> context_;
  std::vector<std::unique_ptr<Lander>> landers_;
  std::jthread reporter_;
  std::jthread gauge_keeper_;
  std::jthread caretaker_;
};

Loader::Loader(LoaderOptions options, log::EventLog& log, clickhouse::Client& store)
    : impl_(std::make_unique<Impl>(std::move(options), log, std::vector<clickhouse::Client*>{&store})) {}
Loader::Loader(LoaderOptions options, log::EventLog& log, std::vector<clickhouse::Client*> shards)
    : impl_(std::make_unique<Impl>(std::move(options), log, std::move(shards))) {}
Loader::~Loader() { stop(); }
void Loader::start() { impl_->start(); }
void Loader::stop() { impl_->stop(); }
LoaderStatus Loader::status() const { return impl_->status(); }
std::vector<PartitionStatus> Loader::partitions() const { return impl_->partitions(); }
void Loader::on_landed(std::function<void(std::uint64_t)> callback) { impl_->on_landed(std::move(callback)); }

}  // namespace marquee::ingest
