#include "landing.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "marquee/http/client.h"

namespace marquee::app {
namespace {

constexpr auto kBetweenLandingLooks = std::chrono::milliseconds(100);

struct Landing {
  std::uint64_t acknowledged = 0;  ///< Records that the log has taken since it was made.
  std::uint64_t landed = 0;        ///< Of these, those that the loader is done with.
};

std::optional<Landing> look(http::Client& client, const http::Headers& headers) {
  const auto answer = client.send("GET", "/v1/status", headers, "");
  if (!answer || answer->status != 200) return std::nullopt;
  const auto status = nlohmann::json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (status.is_discarded()) return std::nullopt;
  Landing landing;
  for (const auto& partition : status.at("log").at("partitions"))
    landing.acknowledged += partition.at("end").get<std::uint64_t>();
  const auto lag = status.at("loader").at("lag_events").get<std::uint64_t>();
  landing.landed = landing.acknowledged - std::min(lag, landing.acknowledged);
  return landing;
}

}  // namespace

bool wait_landed(const Running& running, const std::atomic<bool>& stop,
                 const std::function<void(std::uint64_t)>& on_wait) {
  http::Client client(running.http_url);
  http::Headers headers;
  headers.add("Authorization", "Bearer " + running.admin_token);
  std::optional<std::uint64_t> wanted;
  while (!stop) {
    const auto landing = look(client, headers);
    if (!landing) return false;
    if (!wanted) wanted = landing->acknowledged;
    if (landing->landed >= *wanted) return true;
    if (on_wait) on_wait(*wanted - landing->landed);
    std::this_thread::sleep_for(kBetweenLandingLooks);
  }
  return false;
}

}  // namespace marquee::app
