// One exchange over HTTPS with a provider, bounded in time and size.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"

namespace marquee::access {

struct FetchRequest {
  std::string url;                                          ///< https://, or http:// of this machine's loopback.
  std::string body;                                         ///< Empty: GET, else POST.
  std::vector<std::pair<std::string, std::string>> fields;  ///< Header fields, without line breaks.
  std::string ca_file;  ///< Certificates (PEM) that the server's is checked by; empty: the system's.
  Millis timeout{10'000};
};

struct FetchAnswer {
  unsigned status = 0;
  std::string body;  ///< At most a MiB.
};

/// Blocks. Redirects are not followed. Action::reject where the address may not be asked; else Action::retry.
[[nodiscard]] Result<FetchAnswer> fetch(const FetchRequest& request);

}  // namespace marquee::access
