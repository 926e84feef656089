// marquee: one program, its roles and tools as subcommands. No logic here, only wiring.
#include <fmt/format.h>

#include <cstdio>

#include "commands.h"
#include "marquee/base/logging.h"

int main(int argc, char** argv) {
  using namespace marquee;
  app::App app;
  CLI::App root("Marquee: real-time analytics and ad personalization for an internal ad network", "marquee");
  root.set_version_flag("--version", std::string("marquee ") + MARQUEE_VERSION);
  root.require_subcommand(1);
  root.fallthrough();
  std::string config_file;
  std::string data_dir;
  root.add_option("--config", config_file,
                  "Configuration file (default: marquee.yaml in the working directory, if there)")
      ->envname("MARQUEE_CONFIG");
  root.add_option("--data-dir", data_dir, "Data directory, instead of the configured one");
  root.footer("Start with `marquee serve`; `marquee <command> --help` shows examples.");

  app::add_serve_command(root, app);
  app::add_collect_command(root, app);
  app::add_load_command(root, app);
  app::add_decide_command(root, app);
  app::add_import_command(root, app);
  app::add_simulate_command(root, app);
  app::add_report_command(root, app);
  app::add_segments_command(root, app);
  app::add_campaigns_command(root, app);
  app::add_profiles_command(root, app);
  app::add_erase_command(root, app);
  app::add_export_command(root, app);
  app::add_alerts_command(root, app);
  app::add_accounts_command(root, app);
  app::add_evaluate_command(root, app);
  app::add_learn_command(root, app);
  app::add_query_command(root, app);
  app::add_migrate_command(root, app);
  app::add_rebuild_command(root, app);
  app::add_doctor_command(root, app);
  app::add_status_command(root, app);
  app::add_config_command(root, app);
  app::add_completion_command(root, app);

  // The configuration is read between parsing and the subcommand's callback, so that --config is known by then.
  root.parse_complete_callback([&] {
    if (auto loaded = app.load(config_file); !loaded) {
      fmt::print(stderr, "marquee: {}\n", loaded.error().message);
      throw CLI::RuntimeError(2);
    }
    if (!data_dir.empty()) app.settings().data_dir = data_dir;
    const auto& level = app.settings().logging_level;
    logging::configure(level == "debug"   ? logging::Level::debug
                       : level == "warn"  ? logging::Level::warn
                       : level == "error" ? logging::Level::error
                                          : logging::Level::info,
                       app.settings().logging_format == "text");
  });
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return root.exit(e);
  }
  return app.exit_code;
}
