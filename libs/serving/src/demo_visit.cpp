#include "demo_visit.h"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace marquee::serving {
namespace {

constexpr std::string_view kVisitPrefix = "demo-";
constexpr std::size_t kVisitBytes = 16, kVisitDigits = 2 * kVisitBytes;
constexpr std::size_t kVisitSize = kVisitPrefix.size() + kVisitDigits + 1 + kVisitDigits;
constexpr std::size_t kLongestName = 32;

std::string hex_of(const std::array<unsigned char, kVisitBytes>& bytes) {
  std::string text(kVisitDigits + 1, '\0');
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
  std::array<unsigned char, kVisitBytes> hash{};
  ::crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                       key_.data(), key_.size());
  return hex_of(hash);
}

std::string DemoVisits::begin() const {
  std::array<unsigned char, kVisitBytes> bytes{};
  ::randombytes_buf(bytes.data(), bytes.size());
  const auto number = hex_of(bytes);
  return std::string(kVisitPrefix) + number + "-" + hash_of("demo visit", number);
}

bool DemoVisits::is_student(std::string_view user_id) const {
  if (user_id.size() < kVisitSize + 2 || user_id.size() > kVisitSize + 1 + kLongestName) return false;
  if (!user_id.starts_with(kVisitPrefix) || user_id[kVisitPrefix.size() + kVisitDigits] != '-' ||
      user_id[kVisitSize] != '.')
    return false;
  const auto name = user_id.substr(kVisitSize + 1);
  if (!std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; })) return false;
  const auto said = user_id.substr(kVisitPrefix.size() + kVisitDigits + 1, kVisitDigits);
  const auto expected = hash_of("demo visit", user_id.substr(kVisitPrefix.size(), kVisitDigits));
  return ::sodium_memcmp(said.data(), expected.data(), kVisitDigits) == 0;
}

std::string DemoVisits::write_key() const { return "mk_demo_" + hash_of("demo write key", ""); }

}  // namespace marquee::serving
