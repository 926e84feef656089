// /v1/dead-letters: what could not be loaded, and its replay.
#pragma once

#include "marquee/http/message.h"
#include "marquee/ingest/dead_letter_office.h"

namespace marquee::api {

/// Thread safe; blocks while the store and the log answer.
class LetterAnswers {
 public:
  explicit LetterAnswers(ingest::DeadLetterOffice& office) : office_(office) {}

  [[nodiscard]] http::Response list(const http::Request& request);
  [[nodiscard]] http::Response replay(const http::Request& request);

 private:
  ingest::DeadLetterOffice& office_;
};

}  // namespace marquee::api
