// A schema registry with Confluent's REST interface, read only.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/http/client.h"

namespace marquee::feed {

struct RegistryOptions {
  std::string url;  ///< "http://host:port/path"
  std::string user;
  std::string password;
};

/// A schema with all that it refers to.
struct RegisteredSchema {
  struct Part {
    std::string name;  ///< As it is referred to.
    std::string text;
  };
  std::string type;         ///< "AVRO", "PROTOBUF", "JSON".
  std::vector<Part> parts;  ///< Each after those that it refers to; the schema itself last.
};

/// Thread safe; asks the registry each time.
class SchemaRegistry {
 public:
  explicit SchemaRegistry(RegistryOptions options);
  /// Action::reject where the registry does not know the id, or what it has is no schema. Action::retry for everything
  /// else: it is away, it refuses us.
  [[nodiscard]] Result<RegisteredSchema> schema(std::uint32_t id);

 private:
  struct Answer {
    std::string type, text;
    struct Reference {
      std::string name, subject;
      std::int64_t version = 0;
    };
    std::vector<Reference> references;
  };
  [[nodiscard]] Result<Answer> get(const std::string& target);
  /// Appends what `answer` refers to, unless it was `seen`, and then itself.
  [[nodiscard]] Result<void> add(const Answer& answer, const std::string& name, std::set<std::string>& seen,
                                 RegisteredSchema& schema);

  const RegistryOptions options_;
  std::string path_;  ///< Of the url.
  std::unique_ptr<http::Client> client_;
};

}  // namespace marquee::feed
