#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "commands.h"
#include "marquee/http/client.h"

namespace marquee::app {
namespace {

int show_status(const App& app, bool quiet) {
  const auto fail = [quiet](const std::string& message) {
    if (!quiet) fmt::print(stderr, "marquee: {}\n", message);
    return 1;
  };
  const auto running = app.running();
  if (!running) return fail(running.error().message);
  http::Client client(running->http_url);
  const auto ready = client.send("GET", "/readyz", {}, "");
  if (!ready || ready->status != 200)
    return fail("Marquee is starting: " + (ready ? ready->body : ready.error().message));
  if (quiet) return 0;
  http::Headers headers;
  headers.add("Authorization", "Bearer " + running->admin_token);
  const auto status = client.send("GET", "/v1/status", headers, "");
  fmt::print("Marquee is up (process {})\n", running->pid);
  // Once people have accounts, they sign in by name.
  const auto session = client.send("GET", "/v1/session", headers, "");
  const bool has_accounts =
      session && session->status == 200 && YAML::Load(session->body)["has_accounts"].as<bool>(false);
  fmt::print("  console     {}{}\n", running->http_url, has_accounts ? "" : "/#token=" + running->admin_token);
  fmt::print("  ClickHouse  {}  (user {}, password in {})\n", running->store_url, running->reader_user,
             app.runtime_file());
  if (status && status->status == 200) {
    const YAML::Node loader = YAML::Load(status->body)["loader"];
    fmt::print("  loader      {} events landed, {} waiting\n", loader["events_landed"].as<std::string>("?"),
               loader["lag_events"].as<std::string>("?"));
  }
  return 0;
}

}  // namespace

void add_status_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("status", "Show whether Marquee runs, and its address");
  auto quiet = std::make_shared<bool>(false);
  command->add_flag("--quiet", *quiet, "Print nothing; the exit status says it (0: ready)");
  command->footer("Examples:\n  marquee status\n  until marquee status --quiet; do sleep 1; done");
  command->callback([&app, quiet] { app.exit_code = show_status(app, *quiet); });
}

}  // namespace marquee::app
