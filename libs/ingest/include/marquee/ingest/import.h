// Importers: files become events and go through POST /v1/events like everything else. Restartable.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/ingest/import_sender.h"

namespace marquee::ingest {

struct ImportProgress {
  std::uint64_t rows = 0;       ///< Read and acknowledged (or refused), those of earlier runs included.
  std::uint64_t rows_sent = 0;  ///< Of this run.
  double fraction = 0;          ///< Of the files' bytes, in [0, 1]; negative where it is not known (Parquet).
  double seconds = 0;           ///< Since this run began.
};

struct ImportOptions {
  std::string site_id;  ///< For messages and checkpoints; the write key decides where events go.
  SendOptions send;
  std::uint32_t batch_events = 2'000;
  std::string checkpoint_dir;  ///< Keeps how far each file was acknowledged. Empty: nothing is kept.
  bool restart = false;        ///< Ignore checkpoints and begin anew. Repeats are dropped by their identity.
  bool dry_run = false;        ///< Parse and check as the server would, send nothing.
  std::string store_binary;    ///< marquee-store, which reads Parquet.
  std::function<void(const ImportProgress&)> on_progress;  ///< On the importing thread, at most ten times a second.
  const std::atomic<bool>* stop = nullptr;                 ///< Set to end early, keeping the checkpoint.
};

/// Refused rows and events of one kind.
struct ImportRefusal {
  std::string reason;  ///< "field: why"
  std::uint64_t count = 0;
  std::vector<std::string> examples;  ///< "file:line", at most three.
};

struct ImportSummary {
  std::uint64_t files = 0;
  std::uint64_t rows = 0;         ///< Of the files, read in this run.
  std::uint64_t rows_before = 0;  ///< Acknowledged by an earlier run, not sent again.
  std::uint64_t events = 0;       ///< Sent (or checked, in a dry run).
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;  ///< Events that the server refused, and rows that could not be mapped.
  std::uint64_t requests_repeated = 0;
  std::vector<ImportRefusal> refusals;  ///< Most frequent first.
  double seconds = 0;
};

/// `directory` holds {random,bts}/{all,men,women}/<campaign>.csv or .csv.gz, as the Open Bandit Dataset does.
/// Action::reject where it has none of them. See src/import_reader.h for what a row becomes.
[[nodiscard]] Result<ImportSummary> import_open_bandit(const std::string& directory, const ImportOptions& options);

/// A Moodle log export as CSV (.gz, .zst or plain).
[[nodiscard]] Result<ImportSummary> import_moodle(const std::string& file, const ImportOptions& options);

/// Marquee events: NDJSON, CSV (header: the names of POST /v1/events, "props.x" for props) or Parquet, by the name's
/// ending before .gz or .zst: .csv, .parquet, anything else is NDJSON.
[[nodiscard]] Result<ImportSummary> import_events(const std::vector<std::string>& files, const ImportOptions& options);

/// The progress as one line for people, at most `width` columns: bar, rows, rows/s, time left.
[[nodiscard]] std::string progress_line(const ImportProgress& progress, std::size_t width);

/// The summary for people: what was accepted, what was refused and why.
[[nodiscard]] std::string describe(const ImportSummary& summary, bool dry_run);
/// The same as a JSON object.
[[nodiscard]] std::string to_json(const ImportSummary& summary);

}  // namespace marquee::ingest
