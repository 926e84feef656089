// Formats that begin with names (and types) of the columns: the engine puts them before each piece of a streamed
// answer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace marquee::engine {

/// True for CSVWithNames, RowBinaryWithNamesAndTypes and the like.
[[nodiscard]] bool repeats_header(std::string_view format);

/// Keeps the header of the first piece and takes it out of all others.
class HeaderOnce {
 public:
  explicit HeaderOnce(std::string_view format) : format_(format) {}
  /// What `piece` adds to the answer.
  [[nodiscard]] std::string pass(std::string piece);

 private:
  [[nodiscard]] std::size_t size_of_header(std::string_view piece) const;

  std::string format_;
  std::string header_;
};

}  // namespace marquee::engine
