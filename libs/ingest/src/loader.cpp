#include "marquee/ingest/loader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <vector>

#include "loader_lander.h"
#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

constexpr const char* kBootFile = "/loader-boot-id";

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
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

class Loader::Impl {
 public:
  Impl(LoaderOptions options, log::EventLog& log, clickhouse::Client& store)
      : options_(std::move(options)), log_(log), store_(store) {}

  void start() {
    const std::lock_guard lock(mutex_);
    if (context_) return;
    auto gate = RollupGate::open(options_.directory);
    if (!gate) {
      logging::error("loader.not_started", {{"error", gate.error().message}});
      start_error_ = gate.error().message;
      return;
    }
    gate_ = std::move(*gate);
    const std::string boot_id = first_line("/proc/sys/kernel/random/boot_id");
    const std::string boot_file = options_.directory + kBootFile;
    const bool verify = !options_.directory.empty() && (boot_id.empty() || first_line(boot_file) != boot_id);
    to_verify_ = log_.partitions();
    context_ = std::make_unique<LoaderContext>(options_, log_, store_, *gate_);
    context_->on_landed = on_landed_;
    context_->verify_kept_log = verify;
    context_->on_verified = [this, boot_file, boot_id] {
      if (--to_verify_ == 0) write_boot_id(boot_file, boot_id);
    };
    std::vector<std::vector<log::Partition>> shares(std::clamp<std::size_t>(options_.inserters, 1, log_.partitions()));
    for (log::Partition p = 0; p < log_.partitions(); ++p) shares[p % shares.size()].push_back(p);
    for (auto& share : shares) landers_.push_back(std::make_unique<Lander>(*context_, std::move(share)));
    for (auto& lander : landers_) lander->start();
  }

  void stop() {
    // Threads are joined without the lock, so that status() answers while a slow insert ends.
    {
      const std::lock_guard lock(mutex_);
      for (auto& lander : landers_) lander->request_stop();
    }
    const std::lock_guard lock(stop_mutex_);
    for (auto& lander : landers_) lander->join();
  }

  LoaderStatus status() const {
    const std::lock_guard lock(mutex_);
    LoaderStatus sum;
    sum.last_error = start_error_;
    for (const auto& lander : landers_) {
      const LoaderStatus one = lander->status();
      sum.events_landed += one.events_landed;
      sum.repeats_dropped += one.repeats_dropped;
      sum.dead_letters += one.dead_letters;
      sum.batches += one.batches;
      sum.recoveries += one.recoveries;
      sum.lag_events += one.lag_events;
    }
    if (context_) sum.last_error = context_->last_error();
    return sum;
  }

  void on_landed(std::function<void(std::uint64_t)> callback) { on_landed_ = std::move(callback); }

 private:
  LoaderOptions options_;
  log::EventLog& log_;
  clickhouse::Client& store_;
  std::function<void(std::uint64_t)> on_landed_;
  mutable std::mutex mutex_;
  std::mutex stop_mutex_;
  std::string start_error_;
  std::unique_ptr<RollupGate> gate_;
  std::atomic<log::Partition> to_verify_{0};
  std::unique_ptr<LoaderContext> context_;
  std::vector<std::unique_ptr<Lander>> landers_;
};

Loader::Loader(LoaderOptions options, log::EventLog& log, clickhouse::Client& store)
    : impl_(std::make_unique<Impl>(std::move(options), log, store)) {}
Loader::~Loader() { stop(); }
void Loader::start() { impl_->start(); }
void Loader::stop() { impl_->stop(); }
LoaderStatus Loader::status() const { return impl_->status(); }
void Loader::on_landed(std::function<void(std::uint64_t)> callback) { impl_->on_landed(std::move(callback)); }

}  // namespace marquee::ingest
