#include "history_model.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <utility>

#include "learning_rounds.h"
#include "saved_bytes.h"
#include "whole_file.h"

namespace marquee::serving {
namespace {

constexpr std::string_view kHistoryMagic = "MQHISTO1";

}  // namespace

Result<void> write_history_model(const std::string& path, const HistoryModel& model) {
  Saving saving;
  saving.put(model.until);
  saving.put(std::uint64_t{model.events.size()});
  for (const auto offset : model.events) saving.put(offset);
  saving.text(model.trained);
  return write_whole_file(path, kHistoryMagic, saving.out);
}

Result<HistoryModel> read_history_model(const std::string& path) {
  const auto content = read_whole_file(path, kHistoryMagic);
  if (!content) return content.error();
  if (!*content) return Error::reject(fmt::format("{} is missing", path));
  Loading loading(**content);
  HistoryModel model;
  std::uint64_t count = 0;
  bool is_whole = loading.take(model.until) && loading.take(count);
  for (log::Offset offset = 0; is_whole && count > 0; --count) {
    is_whole = loading.take(offset);
    model.events.push_back(offset);
  }
  if (!is_whole || !loading.text(model.trained) || !loading.is_at_end())
    return Error::give_up(fmt::format("{} is damaged", path));
  return model;
}

Result<std::uint64_t> write_base(const std::string& model_path, std::string_view saved) {
  if (auto written = write_whole_file(model_path + ".base", kModelMagic, saved); !written) return written.error();
  return XXH3_64bits(saved.data(), saved.size());
}

Result<std::string> read_base(const std::string& model_path, std::uint64_t hash) {
  if (hash == 0) return std::string();
  const auto path = model_path + ".base";
  auto content = read_whole_file(path, kModelMagic);
  if (!content) return content.error();
  if (!*content || XXH3_64bits((*content)->data(), (*content)->size()) != hash)
    return Error::give_up(fmt::format("{} is not what learning began with", path));
  return std::move(**content);
}

Result<std::string> read_trained(const std::string& path) {
  const auto kept = read_whole_file(path, kModelMagic);
  if (!kept) {
    auto history = read_history_model(path);
    if (!history) return history.error();
    return std::move(history->trained);
  }
  if (!*kept) return Error::reject(fmt::format("{} is missing", path));
  return LearningRounds::trained_of(**kept);
}

}  // namespace marquee::serving
