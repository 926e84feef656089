#include "dead_letter_writer.h"

#include "marquee/base/logging.h"

namespace marquee::ingest {

Result<void> DeadLetterWriter::write(std::vector<DeadLetter>& letters) {
  if (letters.empty()) return {};
  for (DeadLetter& letter : letters) {
    if (letter.topic.empty()) letter.topic = options_.topic;
  }
  if (auto written = store_.insert(letters); !written) return Error::retry(written.error().message);
  const DeadLetter first = letters.front();
  const std::size_t count = letters.size();
  if (auto handed_on = hand_on(letters); !handed_on) return handed_on;
  metrics_.of(first.partition).dead_letters.Increment(static_cast<double>(count));
  logging::warn("loader.dead_letters", {{"partition", first.partition},
                                        {"count", count},
                                        {"offset", first.offset},
                                        {"reason", first.reason.substr(0, 500)}});
  return {};
}

Result<void> DeadLetterWriter::hand_on(std::vector<DeadLetter>& letters) {
  if (!options_.dead_letter_sink) {
    letters.clear();
    return {};
  }
  const auto outcomes = options_.dead_letter_sink(letters);
  std::vector<DeadLetter> left;
  Result<void> failure;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i]) continue;
    const Error& error = outcomes[i].error();
    if (error.action == Action::retry) {
      failure = error;
      left.push_back(std::move(letters[i]));
      continue;
    }
    // A poison message must not stall its partition, so what will never be taken is not waited for.
    metrics_.dead_letters_not_handed_on.Increment();
    logging::error("loader.dead_letter_not_handed_on", {{"topic", letters[i].topic},
                                                        {"partition", letters[i].partition},
                                                        {"offset", letters[i].offset},
                                                        {"error", error.message}});
  }
  letters = std::move(left);
  return failure;
}

}  // namespace marquee::ingest
