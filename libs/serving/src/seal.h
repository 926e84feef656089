// The event that an address stands for, sealed into it, and the identity that only we can give such an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/decision/token.h"
#include "marquee/event/event.h"

namespace marquee::serving {

/// What external ids of served ads begin with.
inline constexpr std::string_view kServedPrefix = "served-";

/// Props of the event of a served ad: how long after its decision it was, before what `props` has, if anything.
[[nodiscard]] std::string write_after_ms(std::int64_t after_ms, std::string_view props = {});
/// 0 where they do not say.
[[nodiscard]] std::int64_t read_after_ms(std::string_view props);

/// Events of served ads carry an external id that is a keyed hash of site, decision, ad, slot and type. Who holds the
/// write key of a page can send any event, but none that looks as if it came through a token: what counts against
/// budgets and caps is what has this id.
class Seal {
 public:
  explicit Seal(const decision::TokenKey& key);

  [[nodiscard]] std::string external_id(const event::Event& event) const;
  /// The external id as a number, where it is the one that we gave; nullopt for all other events.
  [[nodiscard]] std::optional<std::uint64_t> verify(const event::Event& event) const;
  /// What verify() would give for the impression of the same ad of the same decision.
  [[nodiscard]] std::uint64_t impression_of(event::Event event) const;

  /// Sets type and external id, and seals it as a token's body.
  [[nodiscard]] std::string address(event::Event event, decision::Token::Kind kind, std::uint8_t placement,
                                    std::int64_t issued_ms, std::int64_t life_ms) const;
  /// nullopt where it is forged. Text of the event borrows from the token.
  struct Opened {
    decision::Token token;
    event::Event event;
    std::uint64_t identity = 0;
  };
  [[nodiscard]] std::optional<Opened> open(std::string_view text, decision::Token::Kind kind) const;

 private:
  decision::TokenKey hash_key_;
  decision::TokenBox box_;
};

}  // namespace marquee::serving
