// Each subcommand adds itself to the root command. Its callback (CLI11 `callback`) runs after App::load.
#pragma once

#include <CLI/CLI.hpp>

#include "app.h"

namespace marquee::app {

void add_serve_command(CLI::App& root, App& app);
void add_collect_command(CLI::App& root, App& app);
void add_load_command(CLI::App& root, App& app);
void add_decide_command(CLI::App& root, App& app);
void add_config_command(CLI::App& root, App& app);
void add_completion_command(CLI::App& root, App& app);
void add_report_command(CLI::App& root, App& app);
void add_segments_command(CLI::App& root, App& app);
void add_campaigns_command(CLI::App& root, App& app);
void add_profiles_command(CLI::App& root, App& app);
void add_erase_command(CLI::App& root, App& app);
void add_export_command(CLI::App& root, App& app);
/// `marquee report deliveries`.
void add_deliveries_command(CLI::App& report, App& app);
void add_alerts_command(CLI::App& root, App& app);
void add_accounts_command(CLI::App& root, App& app);
void add_evaluate_command(CLI::App& root, App& app);
void add_learn_command(CLI::App& root, App& app);
void add_query_command(CLI::App& root, App& app);
void add_import_command(CLI::App& root, App& app);
void add_simulate_command(CLI::App& root, App& app);
void add_migrate_command(CLI::App& root, App& app);
void add_rebuild_command(CLI::App& root, App& app);
void add_doctor_command(CLI::App& root, App& app);
void add_status_command(CLI::App& root, App& app);

}  // namespace marquee::app
