// What users and roles that were made by SQL may do, table by table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::engine {

enum class Privilege : std::uint8_t {
  select,
  insert,
  create_table,
  drop_table,
  truncate,
  show,  ///< Taken, as other tools grant it; what a user may look at follows from what it may select.
};

/// As it stands in GRANT: "SELECT", "CREATE TABLE".
[[nodiscard]] std::string_view name_of(Privilege privilege);

/// One privilege on one table, all tables of a database, or all tables.
struct Grant {
  Privilege privilege = Privilege::select;
  std::string database{};  ///< Empty: any.
  std::string table{};     ///< Empty: any.

  [[nodiscard]] bool covers(Privilege wanted, std::string_view in_database, std::string_view of_table) const;
  /// "SELECT ON `db`.*".
  [[nodiscard]] std::string text() const;
  bool operator==(const Grant&) const = default;
};

/// What somebody may do for the time of a request.
class Scope {
 public:
  Scope() = default;
  explicit Scope(std::vector<Grant> grants) : grants_(std::move(grants)) {}
  [[nodiscard]] bool may(Privilege privilege, std::string_view database, std::string_view table) const;
  /// True where there is a table, perhaps one yet to be made, that this privilege is for.
  [[nodiscard]] bool may_somewhere(Privilege privilege) const;

 private:
  std::vector<Grant> grants_;
};

}  // namespace marquee::engine
