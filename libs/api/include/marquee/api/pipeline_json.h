// GET /v1/pipeline as text, for those who answer it and those who read it.
#pragma once

#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/ingest/pipeline.h"

namespace marquee::api {

/// What is no matter of the pipeline but goes with it.
struct PipelineContext {
  std::string log_kind;  ///< "local" or "kafka".
  std::string topic;     ///< Of the log; empty with "local".
  std::uint64_t max_batch_rows = 0;
};

/// The schema Pipeline of api/openapi.yaml.
[[nodiscard]] std::string pipeline_json(const ingest::Pipeline& pipeline, const PipelineContext& context);
/// The same read again, but for the history. Action::give_up where it is not that.
[[nodiscard]] Result<ingest::Pipeline> parse_pipeline(std::string_view json);

}  // namespace marquee::api
