// What only this Marquee knows: tokens, passwords, keys. Made at first start, kept in <data_dir>/secrets.json (mode
// 0600).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "marquee/base/result.h"

namespace marquee::app {

struct Secrets {
  std::string admin_token;
  std::string store_password;
  std::string reader_password;
  std::string analyst_password;  ///< Of the store's user that the SQL editor asks as.
  std::string hash_key;     ///< 32 hex digits: users and sessions are hashed with it, so it must outlive every restart.
  std::string webhook_key;  ///< What notices to webhooks are signed with is made of it; see notify::webhook_secret.
  std::string token_key;    ///< 64 hex digits: addresses of served ads are sealed with it; see serving::Seal.
  std::map<std::string, std::string> write_keys;  ///< Trusted key of each built-in site, for importers.

  [[nodiscard]] std::array<std::uint8_t, 16> hash_key_bytes() const;
  [[nodiscard]] std::array<std::uint8_t, 32> token_key_bytes() const;
};

/// Reads `path`, makes what is missing, and writes it back if anything was. Action::give_up where it is unreadable: new
/// secrets would make old events and new ones look like those of different users.
[[nodiscard]] Result<Secrets> load_secrets(const std::string& path, const std::map<std::string, std::string>& sites);

}  // namespace marquee::app
