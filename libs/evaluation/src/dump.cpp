#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "marquee/base/json_text.h"
#include "marquee/evaluation/evaluation.h"

namespace marquee::evaluation {
namespace {

std::string list_of(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) {
    if (out.size() > 1) out += ',';
    append_json_string(out, text);
  }
  return out + "]";
}

std::string model_of(const DecisionLog& log, const RewardModel& model) {
  std::string out = "[";
  for (std::size_t fold = 0; fold < model.folds(); ++fold) {
    out += fold > 0 ? ",[" : "[";
    for (std::size_t position = 0; position < log.positions.size(); ++position) {
      out += position > 0 ? ",[" : "[";
      for (std::size_t ad = 0; ad < log.ads.size(); ++ad)
        out += fmt::format("{}{}", ad > 0 ? "," : "", model.expected(fold, position, ad));
      out += ']';
    }
    out += ']';
  }
  return out + "]";
}

}  // namespace

Result<void> write_dump(const std::string& path, const DecisionLog& log, const Evaluation& evaluation) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  std::string line;
  JsonObject(line)
      .raw("ads", list_of(log.ads))
      .raw("positions", list_of(log.positions))
      .raw("q_hat", model_of(log, evaluation.model))
      .end();
  file << line << '\n';
  const auto number = [](double value) { return fmt::format("{}", value); };
  for (std::size_t i = 0; i < log.size() && file; ++i) {
    line.clear();
    JsonObject(line)
        .text("ad_id", log.ads[log.ad[i]])
        .text("position", log.positions[log.position[i]])
        .raw("reward", number(log.reward[i]))
        .raw("propensity", number(log.propensity[i]))
        .raw("target", number(evaluation.target[i]))
        .number("fold", evaluation.model.fold(i))
        .raw("q_chosen", number(evaluation.q_chosen[i]))
        .raw("q_target", number(evaluation.q_target[i]))
        .end();
    file << line << '\n';
  }
  file.close();
  if (!file) return Error::give_up(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return {};
}

}  // namespace marquee::evaluation
