#include "api_access.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "marquee/http/client.h"

namespace marquee::app {

Result<std::string> ask(const App& app, const std::string& method, const std::string& target, const std::string& body) {
  const auto running = app.running();
  if (!running) return running.error();
  http::Client client(running->http_url, {.timeout_ms = 120'000});
  http::Headers headers;
  headers.add("Authorization", "Bearer " + running->admin_token);
  if (!body.empty()) headers.add("Content-Type", "application/json");
  auto answer = client.send(method, target, headers, body);
  if (!answer) return Error::retry(answer.error().message);
  if (answer->status >= 200 && answer->status < 300) return std::move(answer->body);
  const auto said = nlohmann::ordered_json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  const bool is_named = said.is_object() && said.contains("error");
  return Error::reject(is_named ? said["error"].value("message", "") : fmt::format("status {}", answer->status));
}

}  // namespace marquee::app
