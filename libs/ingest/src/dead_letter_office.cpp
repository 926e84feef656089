#include "marquee/ingest/dead_letter_office.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "dead_letter_list.h"
#include "dead_letter_marks.h"
#include "dead_letter_reader.h"
#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

constexpr std::size_t kMostTried = 10'000;
constexpr std::size_t kMostUnreadableNamed = 1'000;
constexpr std::size_t kAtOnce = 500;
constexpr auto kLandWithin = std::chrono::seconds(30);
constexpr auto kLookEvery = std::chrono::milliseconds(50);

std::uint64_t random_number() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace

class DeadLetterOffice::Impl {
 public:
  Impl(DeadLetterOptions options, clickhouse::Client& store, log::EventLog& log)
      : options_(std::move(options)), log_(log), list_(store), marks_(store), reader_(options_) {}

  Result<LetterPage> list(const LetterFilter& filter, std::optional<bool> is_replayed, const std::string& after,
                          std::size_t limit) {
    auto page = list_.page(filter, is_replayed, after, limit);
    if (!page) return page.error();
    LetterPage answer;
    answer.letters = std::move(page->letters);
    answer.next = std::move(page->next);
    for (ListedLetter& one : answer.letters) reader_.show(one);
    if (auto counted = list_.count(filter, answer); !counted) return counted.error();
    return answer;
  }

  Result<ReplayReport> replay(const ReplayOrder& order) {
    const std::lock_guard lock(mutex_);
    ReplayReport report;
    if (!order.mended.empty()) {
      auto done = replay_mended(order, report);
      return done ? Result<ReplayReport>(std::move(report)) : done.error();
    }
    report.next = order.after;
    do {
      auto page = list_.page(order.filter, /*is_replayed=*/false, report.next, kAtOnce);
      if (!page) return page.error();
      std::vector<ReadableLetter> readable;
      for (const ListedLetter& one : page->letters) take(one, reader_.read(one.letter, one.time_ms), readable, report);
      if (auto done = send(std::move(readable), order.is_dry_run, report); !done) return done.error();
      report.next = page->next;
    } while (!report.next.empty() && report.tried < kMostTried);
    return report;
  }

 private:
  Result<void> replay_mended(const ReplayOrder& order, ReplayReport& report) {
    auto letters = find(order.mended);
    if (!letters) return letters.error();
    std::vector<ReadableLetter> readable;
    for (const MendedLetter& mended : order.mended) {
      const auto found = letters->find({mended.topic, mended.partition, mended.offset});
      if (found == letters->end()) {
        ++report.tried;
        name(report, {mended.topic, mended.partition, mended.offset, "there is no such dead letter", {}});
      } else if (found->second.replayed_ms) {
        ++report.tried;
        ++report.replayed_before;
      } else {
        const ListedLetter& one = found->second;
        DeadLetter letter = one.letter;
        letter.bytes = mended.bytes;
        take(one,
             mended.event.empty() ? reader_.read(letter, one.time_ms)
                                  : reader_.read_json(letter, mended.event, one.time_ms),
             readable, report);
        if (!readable.empty() && readable.back().listed == &one) readable.back().is_mended = true;
      }
    }
    return send(std::move(readable), order.is_dry_run, report);
  }

  using Place = std::tuple<std::string, log::Partition, log::Offset>;
  Result<std::map<Place, ListedLetter>> find(const std::vector<MendedLetter>& mended) {
    std::map<std::pair<std::string, log::Partition>, std::vector<log::Offset>> wanted;
    for (const auto& one : mended) wanted[{one.topic, one.partition}].push_back(one.offset);
    std::map<Place, ListedLetter> found;
    for (const auto& [source, offsets] : wanted) {
      auto letters = list_.find(source.first, source.second, offsets);
      if (!letters) return letters.error();
      for (ListedLetter& one : *letters) {
        Place place{source.first, source.second, one.letter.offset};
        found.emplace(std::move(place), std::move(one));
      }
    }
    return found;
  }

  static void take(const ListedLetter& listed, Result<std::string> record, std::vector<ReadableLetter>& readable,
                   ReplayReport& report) {
    ++report.tried;
    if (!record) {
      DeadLetter letter = listed.letter;
      letter.bytes.clear();
      letter.reason = record.error().message;
      return name(report, std::move(letter));
    }
    const auto event = event::decode(*record);
    const std::uint64_t identity = event ? event::identity(*event) : 0;
    // The same letter twice in one order: the first mend is the one.
    if (std::ranges::find(readable, &listed, &ReadableLetter::listed) != readable.end()) return;
    readable.push_back({&listed, std::move(*record), false, identity});
  }

  static void name(ReplayReport& report, DeadLetter letter) {
    if (report.unreadable.size() < kMostUnreadableNamed)
      report.unreadable.push_back(std::move(letter));
    else
      ++report.unreadable_not_named;
  }

  Result<void> send(std::vector<ReadableLetter> letters, bool is_dry_run, ReplayReport& report) {
    if (is_dry_run || letters.empty()) {
      report.replayed += letters.size();
      return {};
    }
    const std::uint64_t replay = random_number();
    if (auto begun = marks_.write(replay, ReplayMarks::Outcome::begun, letters); !begun) return begun;
    const auto before = marks_.begun_before(replay);
    if (!before) return before.error();
    // What a replay that was cut off has sent may still be on its way.
    if (!before->empty()) {
      if (auto waited = wait_landed(); !waited) return waited;
    }
    const auto landed = marks_.landed(replay);
    if (!landed) return landed.error();
    const auto is_counted = [&](const ReadableLetter& one) {
      const auto [begin, end] = before->equal_range(ReplayMarks::key_of(*one.listed));
      return landed->contains(one.identity) ||
             std::any_of(begin, end, [&](const auto& begun) { return landed->contains(begun.second); });
    };
    const auto fresh = std::ranges::partition(letters, is_counted);
    const std::vector<ReadableLetter> to_send(std::make_move_iterator(fresh.begin()),
                                              std::make_move_iterator(fresh.end()));
    letters.erase(fresh.begin(), fresh.end());
    if (auto marked = marks_.write(replay, ReplayMarks::Outcome::counted, letters); !marked) return marked;
    report.already_counted += letters.size();
    if (auto appended = append(to_send); !appended) return appended;
    if (auto marked = marks_.write(replay, ReplayMarks::Outcome::sent, to_send); !marked) return marked;
    report.replayed += to_send.size();
    logging::info("dead_letters.replayed", {{"sent", to_send.size()}, {"already_counted", letters.size()}});
    return {};
  }

  /// Waits until all that the log holds now has landed.
  Result<void> wait_landed() {
    const auto deadline = std::chrono::steady_clock::now() + kLandWithin;
    for (log::Partition p = 0; p < log_.partitions(); ++p) {
      const log::Offset end = log_.end(p);
      for (;;) {
        const auto progress = log_.progress(p);
        if (!progress) return progress.error();
        if (progress->next >= end) break;
        if (std::chrono::steady_clock::now() > deadline)
          return Error::retry("an earlier replay is still on its way into the store; try again");
        std::this_thread::sleep_for(kLookEvery);
      }
    }
    return {};
  }

  Result<void> append(const std::vector<ReadableLetter>& letters) {
    std::map<log::Partition, log::Batch> by_partition;
    for (const ReadableLetter& one : letters) {
      const auto event = event::decode(one.record);
      if (!event) return event.error();
      const std::uint64_t key = event::partition_key(*event);
      const auto partition = static_cast<log::Partition>(key % log_.partitions());
      by_partition.try_emplace(partition, partition).first->second.add(one.record, key);
    }
    if (by_partition.empty()) return {};
    std::vector<log::Batch> batches;
    for (auto& [partition, batch] : by_partition) batches.push_back(std::move(batch));
    std::promise<Result<void>> done;
    log_.append(std::move(batches), [&done](Result<void> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }

  const DeadLetterOptions options_;
  log::EventLog& log_;
  DeadLetterList list_;
  ReplayMarks marks_;
  const DeadLetterReader reader_;
  std::mutex mutex_;
};

DeadLetterOffice::DeadLetterOffice(DeadLetterOptions options, clickhouse::Client& store, log::EventLog& log)
    : impl_(std::make_unique<Impl>(std::move(options), store, log)) {}
DeadLetterOffice::~DeadLetterOffice() = default;
Result<LetterPage> DeadLetterOffice::list(const LetterFilter& filter, std::optional<bool> is_replayed,
                                          const std::string& after, std::size_t limit) {
  return impl_->list(filter, is_replayed, after, limit);
}
Result<ReplayReport> DeadLetterOffice::replay(const ReplayOrder& order) { return impl_->replay(order); }

}  // namespace marquee::ingest
