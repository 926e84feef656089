#include "history.h"

#include <fmt/format.h>

#include <algorithm>

#include "patience.h"

namespace marquee::ingest {
namespace {

/// Offsets that the events table is asked for at once: an answer of some 20 MB.
constexpr log::Offset kHistoryStretch = 500'000;

}  // namespace

Result<void> read_on(log::EventLog& log, LoadBatch& batch, event::IdentityWindow& window, log::Offset end,
                     const ReadLimits& limits) {
  while (batch.range().end < end && batch.range().size() < limits.max_records && batch.bytes() < limits.max_bytes) {
    const log::Offset next = batch.range().end;
    const auto room = std::min<std::size_t>(end - next, limits.max_records - batch.range().size());
    const auto records = patiently(limits.patience, [&] { return read_known(log, batch.partition(), next, room); });
    if (!records) return records.error();
    if (records->first >= end) {  // Only a gap was left.
      batch.skip_to(end);
    } else {
      batch.append(*records, window);
    }
  }
  return {};
}

Comparison compare(std::span<const Row> rows, std::span<const Row> repeats, std::span<const Row> landed) {
  Comparison found;
  auto row = rows.begin();
  auto repeat = repeats.begin();
  for (std::size_t i = 0; i < landed.size();) {
    const log::Offset offset = landed[i].offset;
    for (; row != rows.end() && row->offset < offset; ++row) found.missing.push_back(*row);
    while (repeat != repeats.end() && repeat->offset < offset) ++repeat;
    const bool is_row = row != rows.end() && row->offset == offset;
    const bool is_repeat = repeat != repeats.end() && repeat->offset == offset;
    bool is_there = false;
    for (; i < landed.size() && landed[i].offset == offset; ++i) {
      if (is_row && landed[i] == *row) {
        if (is_there) ++found.surplus;
        is_there = true;
      } else if (is_repeat && landed[i] == *repeat) {
        ++found.surplus;
      } else {
        found.strangers.push_back(landed[i]);
      }
    }
    if (!is_row) continue;
    if (!is_there) found.missing.push_back(*row);
    ++row;
  }
  found.missing.insert(found.missing.end(), row, rows.end());
  return found;
}

Result<void> History::read(log::Range range, const Take& take) {
  for (log::Offset begin = range.begin; begin < range.end; begin += kHistoryStretch) {
    if (auto done = read_stretch({begin, std::min(range.end, begin + kHistoryStretch)}, take); !done) return done;
  }
  return {};
}

Result<void> History::read_stretch(log::Range range, const Take& take) {
  const auto landed = patiently(limits_.patience, [&] { return store_.landed(batch_.partition(), range); });
  if (!landed) return landed.error();
  auto known =
      patiently(limits_.patience, [&] { return letters_.store.letters(letters_.topic, batch_.partition(), range); });
  if (!known) return known.error();
  known_ = std::move(*known);
  auto there = landed->begin();
  for (log::Offset next = range.begin; next < range.end; next = batch_.range().end) {
    batch_.reset(next);
    batch_.set_known_letters(known_);
    if (auto done = read_on(log_, batch_, window_, range.end, limits_); !done) return done;
    if (auto go_on = watch_ ? watch_(batch_) : Result<void>(); !go_on) return go_on;
    const auto there_end = std::ranges::lower_bound(there, landed->end(), batch_.range().end, {}, &Row::offset);
    if (auto taken = take(batch_, compare(batch_.rows(), batch_.repeats(), {there, there_end})); !taken) return taken;
    there = there_end;
  }
  return {};
}

Result<void> History::keep_letters() {
  std::vector<DeadLetter> missing;
  for (const DeadLetter& letter : batch_.dead_letters()) {
    const auto [begin, end] = known_.equal_range(letter.offset);
    const auto hash = bytes_hash(letter.bytes);
    const bool is_known = std::any_of(begin, end, [&](const auto& one) { return one.second.bytes_hash == hash; });
    if (!is_known) missing.push_back(letter);
  }
  return write(std::move(missing));
}

Result<void> History::bury(const std::vector<RefusedRow>& refused) {
  std::vector<DeadLetter> letters;
  for (const RefusedRow& row : refused) {
    window_.forget(row.identity);
    letters.push_back(row.letter);
  }
  return write(std::move(letters));
}

Result<void> History::write(std::vector<DeadLetter> letters) {
  if (letters.empty()) return {};
  for (DeadLetter& letter : letters) letter.topic = letters_.topic;
  return patiently(limits_.patience, [&]() -> Result<void> {
    if (auto written = letters_.store.insert(letters); !written) return Error::retry(written.error().message);
    return {};
  });
}

void Completed::add(const Completed& other) {
  rows += other.rows;
  repeats += other.repeats;
  dead_letters += other.dead_letters;
  missing += other.missing;
  surplus += other.surplus;
  strangers += other.strangers;
  days.insert(other.days.begin(), other.days.end());
}

Result<std::vector<RefusedRow>> complete_patiently(Landing& landing, LoadBatch& batch, std::uint64_t& name,
                                                   const NewName& new_name, Millis patience) {
  auto completed = patiently(patience, [&]() -> Result<Landing::Completed> {
    if (name == 0) {
      const auto fresh = new_name(0);
      if (!fresh) return fresh.error();
      name = *fresh;
    }
    auto done = landing.complete(batch, name, std::chrono::seconds(0));
    if (done || done.error().action != Action::reject) return done;
    const auto fresh = new_name(name);
    if (!fresh) return fresh.error();
    name = *fresh;
    return Error::retry(done.error().message);
  });
  if (!completed) return completed.error();
  return std::move(completed->refused);
}

Result<Completed> complete_history(History& history, log::Range range, Landing& landing, const NewName& new_name,
                                   Millis patience, const std::function<Result<void>(const std::set<Day>&)>& before) {
  Completed sum;
  std::uint64_t name = 0;
  auto done = history.read(range, [&](LoadBatch& batch, const Comparison& found) -> Result<void> {
    sum.add({.rows = batch.rows().size(),
             .repeats = batch.repeats().size(),
             .dead_letters = batch.dead_letters().size(),
             .surplus = found.surplus,
             .strangers = found.strangers.size(),
             .days = batch.days()});
    if (auto kept = history.keep_letters(); !kept) return kept;
    if (found.missing.empty()) return {};
    if (auto told = before(batch.days()); !told) return told;
    const auto refused = complete_patiently(landing, batch, name, new_name, patience);
    if (!refused) return refused.error();
    sum.missing += found.missing.size() - refused->size();
    sum.rows -= refused->size();
    sum.dead_letters += refused->size();
    return history.bury(*refused);
  });
  if (!done) return done.error();
  return sum;
}

}  // namespace marquee::ingest
