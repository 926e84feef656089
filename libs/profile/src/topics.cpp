#include "marquee/profile/topics.h"

#include <xxhash.h>

#include <string>

namespace marquee::profile {
namespace {

/// What a text names: the seed of its hash.
std::uint64_t seed_of(TopicKind kind) {
  switch (kind) {
    case TopicKind::campaign_clicked:
      return static_cast<std::uint64_t>(TopicKind::campaign_seen);
    case TopicKind::ad_clicked:
      return static_cast<std::uint64_t>(TopicKind::ad_seen);
    default:
      return static_cast<std::uint64_t>(kind);
  }
}

bool is_of_word(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

}  // namespace

Topic topic_of(TopicKind kind, std::string_view text) {
  const auto hash = static_cast<Topic>(XXH3_64bits_withSeed(text.data(), text.size(), seed_of(kind)));
  return hash == 0 ? 1 : hash;
}

void for_each_word(std::string_view query, const std::function<void(std::string_view)>& on_word) {
  constexpr std::size_t kShortest = 2;
  constexpr int kMost = 8;
  std::string word;
  int given = 0;
  for (std::size_t i = 0; i <= query.size() && given < kMost; ++i) {
    const auto c = static_cast<unsigned char>(i < query.size() ? query[i] : ' ');
    if (is_of_word(c)) {
      word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      continue;
    }
    if (word.size() >= kShortest) {
      on_word(word);
      ++given;
    }
    word.clear();
  }
}

}  // namespace marquee::profile
