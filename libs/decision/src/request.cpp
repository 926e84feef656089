#include "marquee/decision/request.h"

#include <fmt/format.h>
#include <sodium.h>

namespace marquee::decision {
namespace {

constexpr auto kBecause = std::to_array<std::string_view>(
    {"chosen", "unknown_slot", "no_candidate", "not_logged", "not_ready", "targeting", "dates", "schedule", "creative",
     "floor", "blocked", "budget", "pacing", "cap", "repeat", "competition", "page_not_filled", "lower_tier"});

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

}  // namespace

DecisionId make_decision_id() {
  DecisionId id;
  ::randombytes_buf(&id, sizeof id);
  return id;
}

std::string text_of(const DecisionId& id) { return fmt::format("{:016x}{:016x}", id.high, id.low); }

std::string_view without_version(std::string_view policy) {
  const auto end = policy.find_last_not_of("0123456789");
  const bool has_version = end != std::string_view::npos && end > 0 && end + 1 < policy.size() && policy[end] == '-';
  return has_version ? policy.substr(0, end) : policy;
}

std::string_view name(Because because) { return kBecause[static_cast<std::size_t>(because)]; }

std::vector<std::string> search_terms(std::string_view query) {
  std::vector<std::string> terms;
  bool is_inside = false;
  for (const char c : query) {
    if (!is_word(c)) {
      is_inside = false;
      continue;
    }
    if (!is_inside) terms.emplace_back();
    is_inside = true;
    terms.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return terms;
}

bool is_personal(Field field) {
  switch (field) {
    case Field::page:
    case Field::slot:
    case Field::course_category:
    case Field::search_term:
    case Field::device:
      return false;
    case Field::college:
    case Field::program:
    case Field::year:
    case Field::city:
    case Field::segment:
    case Field::interest:
    case Field::seen_campaign:
    case Field::seen_ad:
    case Field::attribute:
      return true;
  }
  return true;
}

bool is_for_targeting(Field field) { return field != Field::seen_campaign && field != Field::seen_ad; }

}  // namespace marquee::decision
