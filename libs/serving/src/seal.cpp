#include "seal.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <charconv>

namespace marquee::serving {
namespace {

constexpr std::string_view kAfter = R"({"after_ms":)";
constexpr std::size_t kHashBytes = 16;

/// One key a purpose.
decision::TokenKey derived(const decision::TokenKey& key, std::string_view purpose) {
  decision::TokenKey made{};
  ::crypto_generichash(made.data(), made.size(), reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size(),
                       key.data(), key.size());
  return made;
}

std::uint64_t number_of(std::string_view external_id) {
  constexpr std::size_t kIdDigits = 16;
  std::uint64_t number = 0;
  const char* digits = external_id.data() + kServedPrefix.size();
  std::from_chars(digits, digits + kIdDigits, number, 16);
  return number;
}

}  // namespace

std::string write_after_ms(std::int64_t after_ms, std::string_view props) {
  if (props.empty()) return fmt::format("{}{}}}", kAfter, after_ms);
  return fmt::format("{}{},{}", kAfter, after_ms, props.substr(1));
}

std::int64_t read_after_ms(std::string_view props) {
  std::int64_t number = 0;
  if (!props.starts_with(kAfter)) return 0;
  std::from_chars(props.data() + kAfter.size(), props.data() + props.size(), number);
  return number;
}

Seal::Seal(const decision::TokenKey& key) : hash_key_(derived(key, "external id")), box_(derived(key, "token")) {}

std::string Seal::external_id(const event::Event& event) const {
  crypto_generichash_state state;
  ::crypto_generichash_init(&state, hash_key_.data(), hash_key_.size(), kHashBytes);
  const auto type = event::name(event.type);
  for (const auto text : {event.site_id, event.decision_id, event.ad_id, event.slot_id, type}) {
    const auto size = static_cast<std::uint32_t>(text.size());
    ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&size), sizeof size);
    ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  std::array<unsigned char, kHashBytes> hash{};
  ::crypto_generichash_final(&state, hash.data(), hash.size());
  std::array<char, kHashBytes * 2 + 1> digits{};
  ::sodium_bin2hex(digits.data(), digits.size(), hash.data(), hash.size());
  return std::string(kServedPrefix) + digits.data();
}

std::optional<std::uint64_t> Seal::verify(const event::Event& event) const {
  const bool is_served = event.type == event::Type::impression || event.type == event::Type::click;
  if (!is_served || !event.external_id.starts_with(kServedPrefix)) return std::nullopt;
  const auto expected = external_id(event);
  if (expected.size() != event.external_id.size() ||
      ::sodium_memcmp(expected.data(), event.external_id.data(), expected.size()) != 0)
    return std::nullopt;
  return number_of(expected);
}

std::uint64_t Seal::impression_of(event::Event event) const {
  event.type = event::Type::impression;
  return number_of(external_id(event));
}

std::string Seal::address(event::Event event, decision::Token::Kind kind, std::uint8_t placement,
                          std::int64_t issued_ms, std::int64_t life_ms) const {
  event.type = kind == decision::Token::Kind::click ? event::Type::click : event::Type::impression;
  const auto id = external_id(event);
  event.external_id = id;
  decision::Token token{
      .kind = kind, .issued_ms = issued_ms, .expires_ms = issued_ms + life_ms, .placement = placement, .body = {}};
  event::encode(event, token.body);
  return box_.seal(token);
}

std::optional<Seal::Opened> Seal::open(std::string_view text, decision::Token::Kind kind) const {
  auto token = box_.open(text, kind);
  if (!token) return std::nullopt;
  Opened opened{.token = std::move(*token), .event = {}};
  const auto event = event::decode(opened.token.body);
  if (!event) return std::nullopt;  // Of a program whose events this one cannot read.
  opened.event = *event;
  const auto identity = verify(opened.event);
  if (!identity) return std::nullopt;
  opened.identity = *identity;
  return opened;
}

}  // namespace marquee::serving
