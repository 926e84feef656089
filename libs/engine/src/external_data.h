// External tables: data that comes with a query, as parts of multipart/form-data (RFC 7578), and lives as long as it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "marquee/engine/connection.h"
#include "marquee/engine/failure.h"

namespace marquee::engine {

struct FormPart {
  std::string name;
  bool is_file = false;  ///< It has a file's name, as external tables have.
  std::string_view data;
};

/// The parts of `body`; the views point into it. INCORRECT_DATA where it does not hold to the form.
[[nodiscard]] Answer<std::vector<FormPart>> read_form(std::string_view body, std::string_view boundary);

struct ExternalTable {
  std::string name;
  std::string columns;  ///< As in CREATE TABLE, made of names and types alone.
  std::string format;
  std::string_view data;
};

/// The table of a part, described by the parameters <name>_structure ("a UInt8, b String") or <name>_types
/// ("UInt8,String"), and <name>_format (TabSeparated). BAD_ARGUMENTS where neither is there, or where it holds more
/// than names and types: nothing that a default or an engine could hide gets into the statement that makes the table.
[[nodiscard]] Answer<ExternalTable> read_external_table(const FormPart& part, const Parameters& described);

/// Makes the table for as long as the connection lives, which is spent by it.
[[nodiscard]] Answer<> make_external_table(const ExternalTable& table, Connection& connection);

}  // namespace marquee::engine
