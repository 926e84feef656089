// The answer to one request, on whatever thread it is made.
#pragma once

#include <memory>

#include "connection.h"
#include "marquee/http/server.h"

namespace marquee::http {

class Responder::Impl {
 public:
  Impl(std::shared_ptr<Connection> connection, const AnswerForm& form)
      : connection_(std::move(connection)), form_(form) {}

  void send(const Response& response, std::function<void()> written = {});
  [[nodiscard]] std::shared_ptr<Stream> stream(const Response& head);
  void begin(const Response& head);
  void add_fields(const Headers& fields);
  void on_client_gone(std::function<void()> gone);
  [[nodiscard]] bool has_begun() const { return form_.has_begun; }
  [[nodiscard]] bool is_answered() const { return connection_ == nullptr; }

 private:
  std::shared_ptr<Connection> connection_;  ///< Null once answered.
  AnswerForm form_;
};

}  // namespace marquee::http
