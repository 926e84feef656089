// marquee profiles: what is known of users while deciding.
#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "api_access.h"
#include "commands.h"
#include "format_option.h"
#include "marquee/http/message.h"
#include "text_table.h"

namespace marquee::app {
namespace {

struct ProfileArguments {
  std::string site = "campus";
  std::string user_id;
  std::string format = "table";
};

int erase(const App& app, const ProfileArguments& arguments) {
  const auto path = fmt::format("/v1/profiles/{}?site={}", http::percent_encode(arguments.user_id),
                                http::percent_encode(arguments.site));
  const auto answer = ask(app, "DELETE", path, "");
  return answer ? 0 : fail(answer.error());
}

int list_clusters(const App& app, const ProfileArguments& arguments) {
  const auto answer = ask(app, "GET", "/v1/clusters", "");
  if (!answer) return fail(answer.error());
  const auto clusters = nlohmann::ordered_json::parse(*answer).at("clusters");
  if (arguments.format == "json") {
    fmt::print("{}\n", clusters.dump(2));
    return 0;
  }
  std::vector<Row> rows = {{"segment", "users"}};
  for (const auto& one : clusters) rows.push_back({one.at("segment").get<std::string>(), one.at("users").dump()});
  print_table(rows, "lr");
  return 0;
}

}  // namespace

void add_profiles_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("profiles", "What is known of users while deciding");
  command->require_subcommand(1);
  auto arguments = std::make_shared<ProfileArguments>();
  auto* erasing = command->add_subcommand(
      "erase", "Forget a user's profile for good: no event of before makes one again. Events stay in the store");
  erasing->add_option("user", arguments->user_id, "As events and decisions name the user")->required();
  erasing->add_option("--site", arguments->site, "Site")->capture_default_str();
  erasing->footer("Example:\n  marquee profiles erase --site campus student-17");
  erasing->callback([&app, arguments] { app.exit_code = erase(app, *arguments); });

  auto* clusters = command->add_subcommand(
      "clusters", "Groups of users of like interests, by the name that targeting has for them among segments");
  add_format_option(*clusters, arguments->format);
  clusters->callback([&app, arguments] { app.exit_code = list_clusters(app, *arguments); });
}

}  // namespace marquee::app
