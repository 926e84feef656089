#include "counts_file.h"

#include <fmt/format.h>

#include <cstring>
#include <span>

#include "whole_file.h"

namespace marquee::serving {
namespace {

using decision::Account;
using decision::Stamp;

constexpr std::string_view kCountsMagic = "MQCOUNT1";

class Writer {
 public:
  template <class T>
  void number(T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes.append(raw, sizeof raw);
  }
  void text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    bytes += text;
  }
  std::string bytes;
};

/// After a read beyond the end every value is empty, and is_good() false.
class CountsReader {
 public:
  explicit CountsReader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    T value{};
    const auto raw = take(sizeof value);
    if (is_good_) std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  std::string_view text() { return take(number<std::uint32_t>()); }
  [[nodiscard]] bool is_good() const { return is_good_; }

 private:
  std::string_view take(std::size_t size) {
    is_good_ = is_good_ && size <= rest_.size();
    if (!is_good_) return {};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
  bool is_good_ = true;
};

void write_delivered(Writer& write, const decision::Delivered& one) {
  write.number(one.impressions);
  write.number(one.clicks);
  write.number(one.spend);
}

decision::Delivered read_delivered(CountsReader& read) {
  decision::Delivered one;
  one.impressions = read.number<std::uint64_t>();
  one.clicks = read.number<std::uint64_t>();
  one.spend = read.number<decision::Nanos>();
  return one;
}

void write_site(Writer& write, decision::Decider& decider) {
  const auto accounts = decider.accounts();
  write.number(static_cast<std::uint32_t>(accounts.size()));
  for (const auto& [campaign, account] : accounts) {
    const auto state = account->state();
    write.text(campaign);
    write_delivered(write, state.day);
    write_delivered(write, state.whole);
    write.number(state.day_begin_ms);
    write.number(state.day_end_ms);
  }
  Writer users;
  std::uint64_t count = 0;
  decider.caps().for_each([&](std::uint64_t user, std::span<const Stamp> stamps) {
    ++count;
    users.number(user);
    users.number(static_cast<std::uint32_t>(stamps.size()));
    for (const auto& stamp : stamps) {
      users.number(stamp.target);
      users.number(stamp.time_ms);
    }
  });
  write.number(count);
  write.bytes += users.bytes;
}

void read_site(CountsReader& read, decision::Decider& decider) {
  for (auto left = read.number<std::uint32_t>(); left > 0 && read.is_good(); --left) {
    const auto campaign = read.text();
    Account::State state;
    state.day = read_delivered(read);
    state.whole = read_delivered(read);
    state.day_begin_ms = read.number<std::int64_t>();
    state.day_end_ms = read.number<std::int64_t>();
    if (read.is_good()) decider.account(campaign).restore(state);
  }
  for (auto left = read.number<std::uint64_t>(); left > 0 && read.is_good(); --left) {
    const auto user = read.number<std::uint64_t>();
    std::vector<Stamp> stamps;
    for (auto more = read.number<std::uint32_t>(); more > 0 && read.is_good(); --more) {
      const auto target = read.number<std::uint64_t>();
      stamps.push_back({.target = target, .time_ms = read.number<std::int64_t>(), .is_reserved = false});
    }
    if (read.is_good()) decider.caps().restore(user, std::move(stamps));
  }
}

}  // namespace

Result<void> write_counts_file(const std::string& path, const Sites& sites, const std::vector<log::Offset>& offsets) {
  Writer write;
  write.number(static_cast<std::uint32_t>(offsets.size()));
  for (const auto offset : offsets) write.number(offset);
  const auto all = sites.all();
  write.number(static_cast<std::uint32_t>(all.size()));
  for (const auto& [id, decider] : all) {
    write.text(id);
    write_site(write, *decider);
  }
  return write_whole_file(path, kCountsMagic, write.bytes);
}

Result<std::optional<std::vector<log::Offset>>> read_counts_file(const std::string& path, Sites& sites) {
  const auto damaged = Error::give_up(fmt::format(
      "{} is damaged; without it budgets and caps begin anew: move it away if that is what you want", path));
  const auto content = read_whole_file(path, kCountsMagic);
  if (!content) return damaged;
  if (!*content) return std::optional<std::vector<log::Offset>>();
  CountsReader read(**content);
  std::vector<log::Offset> offsets;
  for (auto left = read.number<std::uint32_t>(); left > 0 && read.is_good(); --left)
    offsets.push_back(read.number<log::Offset>());
  for (auto left = read.number<std::uint32_t>(); left > 0 && read.is_good(); --left) {
    const auto site = read.text();
    if (read.is_good()) read_site(read, sites.at(site));
  }
  if (!read.is_good()) return damaged;
  return std::optional(std::move(offsets));
}

}  // namespace marquee::serving
