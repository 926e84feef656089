// marquee export: all that is known of a user.
#include <fmt/format.h>

#include <memory>

#include "api_access.h"
#include "commands.h"
#include "marquee/http/message.h"

namespace marquee::app {
namespace {

struct ExportArguments {
  std::string site = "campus";
  std::string user_id;
};

int export_user(const App& app, const ExportArguments& arguments) {
  const auto path = fmt::format("/v1/users/{}/export?site={}", http::percent_encode(arguments.user_id),
                                http::percent_encode(arguments.site));
  const auto answer = ask(app, "GET", path, "");
  if (!answer) return fail(answer.error());
  fmt::print("{}", *answer);
  return 0;
}

}  // namespace

void add_export_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand(
      "export", "All that is known of a user, as JSON for the user to read: events, profile, segments, decisions");
  auto arguments = std::make_shared<ExportArguments>();
  command->add_option("--user", arguments->user_id, "As events and decisions name the user")->required();
  command->add_option("--site", arguments->site, "Site")->capture_default_str();
  command->footer("Example:\n  marquee export --site campus --user student-17 > student-17.json");
  command->callback([&app, arguments] { app.exit_code = export_user(app, *arguments); });
}

}  // namespace marquee::app
