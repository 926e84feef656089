// Carries the rows of files to the server and keeps count.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "import_checkpoint.h"
#include "import_reader.h"
#include "marquee/ingest/import.h"

namespace marquee::ingest {

/// A file to import and how to read it; `open` may be called twice for one import.
struct ImportJob {
  std::string name;  ///< In messages.
  std::string path;
  bool is_size_known = true;  ///< Whether the reader's consumed() measures the file.
  std::function<Result<std::unique_ptr<ImportReader>>(const ImportedFile&)> open;
};

[[nodiscard]] Result<ImportSummary> run_import(const std::vector<ImportJob>& jobs, const ImportOptions& options);

}  // namespace marquee::ingest
