#include "marquee/profile/permission.h"

#include <simdjson.h>

namespace marquee::profile {

std::optional<ProfileId> profile_id(std::string_view site_id, std::uint64_t user_key) {
  if (user_key == 0) return std::nullopt;
  event::Event event;
  event.site_id = site_id;
  event.user_key = user_key;
  return ProfileId{event::partition_key(event)};
}

std::optional<Permission> Permission::grant(std::string_view site_id, std::uint64_t user_key, event::Consent consent,
                                            std::optional<std::uint32_t> age_years) {
  if (!may_be_known(consent, age_years)) return std::nullopt;
  const auto id = profile_id(site_id, user_key);
  return id ? std::optional(Permission(*id)) : std::nullopt;
}

struct PropsReader::Impl {
  simdjson::dom::parser parser;
};

PropsReader::PropsReader() : impl_(std::make_unique<Impl>()) {}
PropsReader::~PropsReader() = default;

EventProps PropsReader::read(std::string_view props) {
  constexpr std::uint64_t kOldest = 150;
  EventProps result;
  simdjson::dom::object object;
  if (props.empty() || impl_->parser.parse(props.data(), props.size()).get(object) != simdjson::SUCCESS) return result;
  std::uint64_t age = 0;
  if (object["age"].get(age) == simdjson::SUCCESS && age <= kOldest) result.age_years = static_cast<std::uint32_t>(age);
  std::string_view text;
  if (object["category"].get(text) == simdjson::SUCCESS) result.category = text;
  return result;
}

}  // namespace marquee::profile
