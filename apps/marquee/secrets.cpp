#include "secrets.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app.h"
#include "marquee/catalog/catalog.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kHashKeyDigits = 32, kTokenKeyDigits = 64;

/// Takes json[name], or makes it with `make`; true if it was made.
template <class Make>
bool take(const Json& json, const char* name, std::string& target, Make make) {
  const auto found = json.find(name);
  if (found != json.end() && found->is_string()) {
    target = found->get<std::string>();
    return false;
  }
  target = make();
  return true;
}

Json to_json(const Secrets& secrets) {
  Json keys = Json::object();
  for (const auto& [site, key] : secrets.write_keys) keys[site] = key;
  return {{"admin_token", secrets.admin_token},
          {"store_password", secrets.store_password},
          {"reader_password", secrets.reader_password},
          {"analyst_password", secrets.analyst_password},
          {"hash_key", secrets.hash_key},
          {"webhook_key", secrets.webhook_key},
          {"token_key", secrets.token_key},
          {"write_keys", std::move(keys)}};
}

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

template <std::size_t kSize>
std::array<std::uint8_t, kSize> bytes_of(const std::string& digits) {
  std::array<std::uint8_t, kSize> bytes{};
  for (std::size_t i = 0; i < kSize; ++i)
    bytes[i] = static_cast<std::uint8_t>(std::stoul(digits.substr(i * 2, 2), nullptr, 16));
  return bytes;
}

}  // namespace

std::array<std::uint8_t, 16> Secrets::hash_key_bytes() const { return bytes_of<16>(hash_key); }
std::array<std::uint8_t, 32> Secrets::token_key_bytes() const { return bytes_of<32>(token_key); }

Result<Secrets> load_secrets(const std::string& path, const std::map<std::string, std::string>& sites) {
  Json json = Json::object();
  std::error_code ec;
  if (std::filesystem::exists(path, ec)) {
    std::ifstream file(path);
    json = Json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return Error::give_up(fmt::format("{} is not readable; bring it back from a backup", path));
  }
  Secrets secrets;
  bool changed = take(json, "admin_token", secrets.admin_token, [] { return catalog::make_secret("ma_"); });
  changed |= take(json, "store_password", secrets.store_password, [] { return catalog::make_secret(""); });
  changed |= take(json, "reader_password", secrets.reader_password, [] { return catalog::make_secret(""); });
  changed |= take(json, "analyst_password", secrets.analyst_password, [] { return catalog::make_secret(""); });
  changed |=
      take(json, "hash_key", secrets.hash_key, [] { return catalog::make_secret("").substr(0, kHashKeyDigits); });
  changed |= take(json, "webhook_key", secrets.webhook_key, [] { return catalog::make_secret(""); });
  changed |= take(json, "token_key", secrets.token_key,
                  [] { return (catalog::make_secret("") + catalog::make_secret("")).substr(0, kTokenKeyDigits); });
  if (!is_hex(secrets.hash_key, kHashKeyDigits))
    return Error::give_up(fmt::format("{}: hash_key is not {} hex digits", path, kHashKeyDigits));
  if (!is_hex(secrets.token_key, kTokenKeyDigits))
    return Error::give_up(fmt::format("{}: token_key is not {} hex digits", path, kTokenKeyDigits));
  const Json keys = json.value("write_keys", Json::object());
  for (const auto& [site, name] : sites) {
    changed |= take(keys, site.c_str(), secrets.write_keys[site], [] { return catalog::make_secret("mk_"); });
  }
  if (!changed) return secrets;
  if (auto written = write_private_file(path, to_json(secrets).dump(2) + "\n"); !written) return written.error();
  return secrets;
}

}  // namespace marquee::app
