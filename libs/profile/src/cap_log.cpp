#include "cap_log.h"

#include <algorithm>

namespace marquee::profile {
namespace {

constexpr std::uint32_t kRound = 1U << 24;
constexpr std::uint32_t kMostOfWord = 255;

CapKey key_of(std::uint64_t word) { return static_cast<CapKey>(word >> 32); }
std::uint32_t count_of(std::uint64_t word) { return static_cast<std::uint32_t>(word & 0xFF); }
std::uint64_t word_of(CapKey key, Seconds time, std::uint32_t count) {
  return static_cast<std::uint64_t>(key) << 32 | std::uint64_t{time % kRound} << 8 | count;
}
/// Seconds from the word's time to last_seen.
std::uint32_t age_of(std::uint64_t word, Seconds last_seen) {
  return (last_seen - static_cast<Seconds>(word >> 8)) % kRound;
}

}  // namespace

CapLog::CapLog(std::vector<std::uint64_t> words, Seconds last_seen) : words_(std::move(words)), last_seen_(last_seen) {
  std::erase(words_, 0U);
}

Seconds CapLog::time_of(std::uint64_t word) const { return last_seen_ - age_of(word, last_seen_); }

void CapLog::advance(Seconds last_seen) {
  std::erase_if(words_, [&](std::uint64_t word) {
    return std::uint64_t{age_of(word, last_seen_)} + (last_seen - last_seen_) > kLongestCapS;
  });
  last_seen_ = last_seen;
}

bool CapLog::add(CapKey key, Seconds time, const CapRules& rules, std::size_t room) {
  if (last_seen_ - time > kLongestCapS) return true;
  const auto same =
      std::ranges::find_if(words_, [&](std::uint64_t word) { return key_of(word) == key && time_of(word) == time; });
  if (same == words_.end()) {
    // Behind what is later, so that the words are in order of time.
    const auto after = std::ranges::find_if(words_, [&](std::uint64_t word) { return time_of(word) > time; });
    words_.insert(after, word_of(key, time, 1));
  } else if (count_of(*same) < kMostOfWord) {
    ++*same;
  }
  drop_what_no_rule_needs(rules);
  return make_room(room);
}

void CapLog::drop_what_no_rule_needs(const CapRules& rules) {
  std::erase_if(words_, [&](std::uint64_t word) {
    const CapRule* rule = rules.find(key_of(word));
    return rule == nullptr || age_of(word, last_seen_) >= rule->window_s;
  });
  // Of each key the newest `count`: an older one is only there beside as many newer ones.
  for (std::size_t i = words_.size(); i-- > 0;) {
    std::uint32_t newer = 0;
    for (std::size_t j = i + 1; j < words_.size(); ++j)
      if (key_of(words_[j]) == key_of(words_[i])) newer += count_of(words_[j]);
    if (newer >= rules.find(key_of(words_[i]))->count) words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

bool CapLog::make_room(std::size_t room) {
  while (words_.size() > room) {
    std::size_t earlier = words_.size(), later = words_.size();
    std::uint32_t closest = UINT32_MAX;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::size_t j = i + 1; j < words_.size(); ++j) {
        if (key_of(words_[j]) != key_of(words_[i])) continue;
        const std::uint32_t apart = time_of(words_[j]) - time_of(words_[i]);
        if (apart < closest) {
          closest = apart;
          earlier = i;
          later = j;
        }
        break;
      }
    }
    if (earlier == words_.size()) {
      words_.erase(words_.begin());
      return false;
    }
    const std::uint32_t both = std::min(count_of(words_[earlier]) + count_of(words_[later]), kMostOfWord);
    words_[later] = word_of(key_of(words_[later]), time_of(words_[later]), both);
    words_.erase(words_.begin() + static_cast<std::ptrdiff_t>(earlier));
  }
  return true;
}

std::uint32_t count_impressions(std::span<const std::uint64_t> words, Seconds last_seen, CapKey key,
                                std::uint32_t window_s, Seconds now) {
  std::uint32_t count = 0;
  for (const std::uint64_t word : words) {
    if (word == 0 || key_of(word) != key) continue;
    const Seconds time = last_seen - age_of(word, last_seen);
    if (std::uint64_t{time} + window_s > now) count += count_of(word);
  }
  return count;
}

}  // namespace marquee::profile
