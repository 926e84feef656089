// marquee import: files into a running Marquee.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "commands.h"
#include "import_dead_letters.h"
#include "landing.h"
#include "marquee/ingest/import.h"
#include "sending.h"

namespace marquee::app {
namespace {

struct ImportArguments {
  SendArguments to;
  std::string directory;
  std::string file;
  std::vector<std::string> files;
  std::uint32_t batch = 2'000;
  bool restart = false;
  bool dry_run = false;
  bool as_json = false;
  bool is_quiet = false;
  bool no_wait = false;
};

void add_common_options(CLI::App& command, const std::shared_ptr<ImportArguments>& arguments, const std::string& site) {
  arguments->to.site = site;
  auto* option = command.add_option("--site", arguments->to.site, "Site that the events belong to");
  if (site.empty())
    option->required();
  else
    option->capture_default_str();
  command.add_option("--url", arguments->to.url, "Marquee to send to (default: the one that runs on this machine)")
      ->envname("MARQUEE_URL");
  command
      .add_option("--key", arguments->to.key, "Trusted write key of the site (default: that of the running Marquee)")
      ->envname("MARQUEE_WRITE_KEY");
  command.add_option("--batch", arguments->batch, "Events per request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--in-flight", arguments->to.in_flight, "Requests at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_flag("--restart", arguments->restart, "Send all rows again, also those that an earlier run had sent");
  command.add_flag("--dry-run", arguments->dry_run, "Check every row as the server would, send nothing");
  command.add_flag("--json", arguments->as_json, "Print the summary as JSON");
  command.add_flag("--no-wait", arguments->no_wait, "Do not wait until the events can be counted in reports");
  command.add_flag("--quiet", arguments->is_quiet, "Show no progress");
}

/// Shows progress on stderr: a bar that is drawn over on a terminal, else a line every five seconds.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(std::string name) : name_(std::move(name)), is_terminal_(::isatty(STDERR_FILENO) != 0) {}
  void show(const ingest::ImportProgress& progress) {
    if (is_terminal_) {
      winsize size{};
      const std::size_t width = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
      fmt::print(stderr, "\r\033[K{}", ingest::progress_line(progress, width - 1));
      is_drawn_ = true;
    } else if (progress.seconds - shown_ >= 5) {
      shown_ = progress.seconds;
      fmt::print(stderr, "{}: {}\n", name_, ingest::progress_line(progress, 160));
    }
    std::fflush(stderr);
  }
  /// After everything was sent: how many events are still on their way into the store.
  void show_landing(std::uint64_t waiting) {
    if (!is_terminal_) return;
    fmt::print(stderr, "\r\033[K{}: sent; {} events are on their way into the store", name_, waiting);
    is_drawn_ = true;
    std::fflush(stderr);
  }
  void clear() const {
    if (is_drawn_) fmt::print(stderr, "\r\033[K");
  }

 private:
  std::string name_;
  bool is_terminal_;
  bool is_drawn_ = false;
  double shown_ = 0;
};

Result<ingest::ImportOptions> options_of(const App& app, const ImportArguments& arguments) {
  ingest::ImportOptions options;
  options.site_id = arguments.to.site;
  options.batch_events = arguments.batch;
  options.restart = arguments.restart;
  options.dry_run = arguments.dry_run;
  options.store_binary = store_binary();
  options.checkpoint_dir = app.settings().data_dir + "/import";
  if (arguments.dry_run) return options;  // Nothing is sent.
  auto send = send_options(app, arguments.to);
  if (!send) return send.error();
  options.send = std::move(*send);
  return options;
}

int run_import(const App& app, const ImportArguments& arguments, const std::string& name,
               const std::function<Result<ingest::ImportSummary>(const ingest::ImportOptions&)>& import) {
  auto options = options_of(app, arguments);
  if (!options) return fail(options.error());
  const std::atomic<bool>& stop_requested = stop_on_signal();
  options->stop = &stop_requested;
  ProgressDisplay display(name);
  if (!arguments.is_quiet)
    options->on_progress = [&display](const ingest::ImportProgress& progress) { display.show(progress); };
  const auto summary = import(*options);
  // Where the events went elsewhere, nothing is known of that store. What an earlier run sent may still be on its way.
  if (const auto running = app.running(); summary && summary->accepted + summary->rows_before > 0 &&
                                          !arguments.dry_run && !arguments.no_wait && arguments.to.url.empty() &&
                                          running) {
    const std::function<void(std::uint64_t)> show = [&display](std::uint64_t waiting) {
      display.show_landing(waiting);
    };
    if (!wait_landed(*running, stop_requested, arguments.is_quiet ? std::function<void(std::uint64_t)>() : show) &&
        !stop_requested) {
      fmt::print(stderr,
                 "marquee: the events are kept; Marquee ended before all of them were loaded, and loads them when it "
                 "starts\n");
    }
  }
  display.clear();
  if (!summary) return fail(summary.error());
  fmt::print(
      "{}{}",
      arguments.as_json ? ingest::to_json(*summary) : name + ": " + ingest::describe(*summary, arguments.dry_run),
      arguments.as_json ? "\n" : "");
  const bool nothing_new = summary->rows == 0 && summary->rows_before > 0;
  return summary->accepted > 0 || nothing_new ? 0 : 1;
}

}  // namespace

void add_import_command(CLI::App& root, App& app) {
  auto* command =
      root.add_subcommand("import", "Bring files into a running Marquee; goes on where an earlier run ended");
  command->require_subcommand(0, 1);
  const auto letters = add_dead_letter_options(*command);
  command->callback([&app, command, letters] {
    if (!command->get_subcommands().empty()) return;
    app.exit_code = letters->is_wanted()
                        ? import_dead_letters(app, *letters)
                        : fail(Error::reject("name what to import: open-bandit, moodle, events, or --dead-letters"));
  });
  command->footer(
      "Examples:\n"
      "  marquee import open-bandit data/open_bandit\n"
      "  marquee import moodle data/moodle_edify/moodle_events.csv.gz\n"
      "  marquee import events --site campus events.ndjson.zst more.csv history.parquet\n"
      "  marquee import --dead-letters --reason \"unknown version\"\n"
      "  marquee import --dead-letters --export letters.ndjson; ...; marquee import --dead-letters letters.ndjson");

  auto* open_bandit =
      command->add_subcommand("open-bandit", "The Open Bandit Dataset: impressions and clicks with propensities");
  auto bandit = std::make_shared<ImportArguments>();
  open_bandit->add_option("dir", bandit->directory, "Directory with random/ and bts/")->required();
  add_common_options(*open_bandit, bandit, "open-bandit");
  open_bandit->footer("Example:\n  marquee import open-bandit data/open_bandit");
  open_bandit->callback([&app, bandit] {
    app.exit_code = run_import(app, *bandit, "open-bandit", [&](const auto& options) {
      return ingest::import_open_bandit(bandit->directory, options);
    });
  });

  auto* moodle = command->add_subcommand("moodle", "A Moodle log: page views, course views and course clicks");
  auto log = std::make_shared<ImportArguments>();
  moodle->add_option("file", log->file, "CSV export of the log (.gz and .zst too)")->required();
  add_common_options(*moodle, log, "moodle");
  moodle->footer("Example:\n  marquee import moodle data/moodle_edify/moodle_events.csv.gz");
  moodle->callback([&app, log] {
    app.exit_code =
        run_import(app, *log, "moodle", [&](const auto& options) { return ingest::import_moodle(log->file, options); });
  });

  auto* events = command->add_subcommand("events", "Marquee events: NDJSON, CSV or Parquet");
  auto generic = std::make_shared<ImportArguments>();
  events
      ->add_option("files", generic->files, ".ndjson, .csv (.gz and .zst too) or .parquet; names as in POST /v1/events")
      ->required();
  add_common_options(*events, generic, "");
  events->footer("Example:\n  marquee import events --site campus --dry-run events.ndjson.zst");
  events->callback([&app, generic] {
    app.exit_code = run_import(app, *generic, "events",
                               [&](const auto& options) { return ingest::import_events(generic->files, options); });
  });
}

}  // namespace marquee::app
