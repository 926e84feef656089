#include "segment_keeper.h"

#include <algorithm>
#include <condition_variable>
#include <optional>

#include "marquee/base/logging.h"
#include "segment_definition.h"

namespace marquee::api {
namespace {

constexpr auto kInterruptEvery = std::chrono::milliseconds(50);

std::string state_name(const catalog::Segment& segment) {
  return segment.id + " " + std::to_string(segment.changed_ms);
}

}  // namespace

class SegmentKeeper::Writing {
 public:
  explicit Writing(SegmentKeeper& keeper) : keeper_(keeper) {}
  ~Writing() {
    if (!version_) return;
    const std::lock_guard lock(keeper_.mutex_);
    keeper_.being_written_.erase(*version_);
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

  /// A new version, known as being written before anything is there.
  Result<std::uint64_t> begin() {
    const auto version = keeper_.catalog_.next_segment_version();
    if (!version) return version.error();
    const std::lock_guard lock(keeper_.mutex_);
    version_ = *version;
    keeper_.being_written_.insert(*version);
    return *version;
  }

 private:
  SegmentKeeper& keeper_;
  std::optional<std::uint64_t> version_;
};

SegmentKeeper::SegmentKeeper(SegmentKeeperOptions options, catalog::Catalog& catalog, clickhouse::Client& store)
    : options_(std::move(options)), catalog_(catalog), writer_(store), thread_([this](const std::stop_token& stop) {
        run(stop);
        ended_.release();
      }) {}

void SegmentKeeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  // Again until it has ended: a query may have been about to begin.
  while (!ended_.try_acquire_for(kInterruptEvery)) {
    std::set<std::uint64_t> versions;
    {
      const std::lock_guard lock(mutex_);
      versions = being_written_;
    }
    for (const auto version : versions) writer_.interrupt(version);
  }
  thread_.join();
}

Result<SegmentKeeper::Meant> SegmentKeeper::meant(const catalog::Segment& segment) const {
  auto definition = read_segment(Json::parse(segment.definition), segment.site_id, std::chrono::system_clock::now());
  if (!definition) return definition.error();
  auto others = segments_of(catalog_, segment.site_id);
  if (!others) return others.error();
  return Meant{std::move(*definition),
               {.site = segment.site_id, .from_ms = {}, .to_ms = {}, .segments = std::move(*others)}};
}

Result<bool> SegmentKeeper::is_live(const catalog::Segment& segment) const {
  if (!options_.check_live) return false;
  return api::is_live(Json::parse(segment.definition), options_.check_live);
}

Result<catalog::Segment> SegmentKeeper::write(catalog::Segment segment, const Meant& meant, Writing& writing) {
  const auto version = writing.begin();
  if (!version) return version.error();
  segment.version = *version;
  const auto size = writer_.write({segment.site_id, segment.id, *version}, meant.definition, meant.scope);
  if (!size && size.error().action == Action::reject) return Error::reject("definition: " + size.error().message);
  if (!size) return size.error();
  segment.size = *size;
  return segment;
}

Result<catalog::Segment> SegmentKeeper::add(catalog::Segment segment, std::string_view actor) {
  segment.id = catalog::Catalog::make_segment_id();
  const auto live = is_live(segment);
  if (!live) return live.error();
  if (*live) return catalog_.add_segment(std::move(segment), actor);
  const auto what = meant(segment);
  if (!what) return what.error();
  Writing writing(*this);
  auto written = write(std::move(segment), *what, writing);
  if (!written) return written.error();
  return catalog_.add_segment(std::move(*written), actor);
}

Result<std::optional<catalog::Segment>> SegmentKeeper::replace(catalog::Segment segment, std::string_view actor) {
  const auto before = catalog_.segment(segment.id);
  if (!before) return before.error();
  if (!*before) return std::optional<catalog::Segment>();
  if (segment.site_id != (*before)->site_id) return Error::reject("site: a segment stays with its site");
  const auto live = is_live(segment);
  if (!live) return live.error();
  if (*live) return catalog_.replace_segment(std::move(segment), actor);
  const auto what = meant(segment);
  if (!what) return what.error();
  Writing writing(*this);
  auto written = write(std::move(segment), *what, writing);
  if (!written) return written.error();
  return catalog_.replace_segment(std::move(*written), actor);
}

Result<std::optional<catalog::Segment>> SegmentKeeper::refresh(std::string_view id) {
  const auto segment = catalog_.segment(id);
  if (!segment) return segment.error();
  if (!*segment || (*segment)->version == 0) return *segment;
  const auto what = meant(**segment);
  if (!what) return what.error();
  const auto refreshed = refresh(**segment, *what);
  if (!refreshed) return refreshed.error();
  // Where another refresh or change came first, that one holds.
  return *refreshed ? *refreshed : catalog_.segment(id);
}

Result<std::optional<catalog::Segment>> SegmentKeeper::refresh(const catalog::Segment& segment, const Meant& meant) {
  Writing writing(*this);
  auto written = write(segment, meant, writing);
  if (!written) return written.error();
  return catalog_.refresh_segment(std::move(*written));
}

Result<bool> SegmentKeeper::remove(std::string_view id, std::string_view actor) {
  const auto segment = catalog_.segment(id);
  if (!segment) return segment.error();
  const auto removed = catalog_.remove_segment(id, actor);
  if (!removed || !*removed || !*segment || (*segment)->version == 0) return removed;
  // What is left where this fails goes with what is outdated.
  if (auto gone = writer_.remove((*segment)->version); !gone)
    logging::warn("segments.users_not_removed", {{"segment", id}, {"error", gone.error().message}});
  return true;
}

void SegmentKeeper::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stopped.wait_for(lock, stop, options_.refresh_every, [&] { return stop.stop_requested(); })) {
    if (!options_.is_store_ready()) continue;
    const auto written = writer_.versions();
    const auto segments = catalog_.segments("");
    if (!written || !segments) continue;  // The store says itself that it does not answer.
    for (const auto& segment : *segments) {
      if (stop.stop_requested()) return;
      if (segment.version == 0) continue;
      if (auto done = refresh_if_changed(segment, *written); !done)
        logging::warn("segments.not_refreshed",
                      {{"segment", segment.id}, {"site", segment.site_id}, {"error", done.error().message}});
    }
    if (auto removed = remove_outdated(*written); !removed)
      logging::warn("segments.users_not_removed", {{"error", removed.error().message}});
  }
}

Result<void> SegmentKeeper::refresh_if_changed(const catalog::Segment& segment,
                                               const std::vector<std::uint64_t>& written) {
  const auto what = meant(segment);
  if (!what) return what.error();
  // A store that was made anew has lost them.
  const bool is_there = segment.size == 0 || std::ranges::find(written, segment.version) != written.end();
  if (is_there && std::holds_alternative<std::vector<std::uint64_t>>(what->definition)) return {};
  std::string state;
  if (options_.can_tell_changes) {
    // Told before the users are found: what lands in between makes them newer than their state, never older.
    auto told = writer_.state(what->definition, what->scope);
    if (!told) return told.error();
    state = std::move(*told);
    const auto known = states_.find(state_name(segment));
    if (is_there && known != states_.end() && known->second == state) return {};
  }
  const auto refreshed = refresh(segment, *what);
  if (!refreshed) return refreshed.error();
  std::erase_if(states_, [&](const auto& one) { return one.first.starts_with(segment.id); });
  if (*refreshed) states_[state_name(segment)] = std::move(state);
  return {};
}

Result<void> SegmentKeeper::remove_outdated(const std::vector<std::uint64_t>& written) {
  const auto now = std::chrono::steady_clock::now();
  // Read after `written`: a version that was begun later is not among those.
  const auto segments = catalog_.segments("");
  if (!segments) return segments.error();
  for (const auto version : written) {
    const bool holds = std::ranges::find(*segments, version, &catalog::Segment::version) != segments->end();
    bool is_being_written = false;
    {
      const std::lock_guard lock(mutex_);
      is_being_written = being_written_.contains(version);
    }
    if (holds || is_being_written) {
      outdated_.erase(version);
      continue;
    }
    const auto since = outdated_.try_emplace(version, now).first->second;
    if (now - since < options_.outdated_for) continue;
    if (auto removed = writer_.remove(version); !removed) return removed;
    outdated_.erase(version);
  }
  return {};
}

}  // namespace marquee::api
