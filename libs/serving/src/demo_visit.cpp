#include "demo_visit.h"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace marquee::serving {
namespace {

constexpr std::string_view kPrefix = "demo-";
constexpr std::size_t kBytes = 16, kDigits = 2 * kBytes;
constexpr std::size_t kVisitSize = kPrefix.size() + kDigits + 1 + kDigits;
constexpr std::size_t kLongestName = 32;

std::string hex_of(const std::array<unsigned char, kBytes>& bytes) {
  std::string text(kDigits + 1, '\0');
  ::sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();  // The terminating zero.
  return text;
}

}  // namespace

DemoVisits::DemoVisits(const decision::TokenKey& key) : key_(key) {
  [[maybe_unused]] const int was_ready = ::sodium_init();
}

std::string DemoVisits::hash_of(std::string_view purpose, std::string_view text) const {
  std::string whole(purpose);
  whole.append(1, '\0').append(text);
  std::array<unsigned char, kBytes> hash{};
  ::crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                       key_.data(), key_.size());
  return hex_of(hash);
}

std::string DemoVisits::begin() const {
  std::array<unsigned char, kBytes> bytes{};
  ::randombytes_buf(bytes.data(), bytes.size());
  const auto number = hex_of(bytes);
  return std::string(kPrefix) + number + "-" + hash_of("demo visit", number);
}

bool DemoVisits::is_student(std::string_view user_id) const {
  if (user_id.size() < kVisitSize + 2 || user_id.size() > kVisitSize + 1 + kLongestName) return false;
  if (!user_id.starts_with(kPrefix) || user_id[kPrefix.size() + kDigits] != '-' || user_id[kVisitSize] != '.')
    return false;
  const auto name = user_id.substr(kVisitSize + 1);
  if (!std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; })) return false;
  const auto said = user_id.substr(kPrefix.size() + kDigits + 1, kDigits);
  const auto expected = hash_of("demo visit", user_id.substr(kPrefix.size(), kDigits));
  return ::sodium_memcmp(said.data(), expected.data(), kDigits) == 0;
}

std::string DemoVisits::write_key() const { return "mk_demo_" + hash_of("demo write key", ""); }

}  // namespace marquee::serving
