// Puts dead letters where they belong: into the store, then wherever else they are handed on to.
#pragma once

#include <vector>

#include "dead_letter_store.h"
#include "loader_metrics.h"
#include "marquee/ingest/loader.h"

namespace marquee::ingest {

/// Thread safe.
class DeadLetterWriter {
 public:
  DeadLetterWriter(const LoaderOptions& options, DeadLetterStore& store, LoaderMetrics& metrics)
      : options_(options), store_(store), metrics_(metrics) {}

  /// What is durable everywhere leaves `letters`, and so does what the sink refuses for good, which the store then has
  /// alone. After an error it is called again with what is left, and nothing is handed on twice.
  [[nodiscard]] Result<void> write(std::vector<DeadLetter>& letters);

 private:
  [[nodiscard]] Result<void> hand_on(std::vector<DeadLetter>& letters);

  const LoaderOptions& options_;
  DeadLetterStore& store_;
  LoaderMetrics& metrics_;
};

}  // namespace marquee::ingest
