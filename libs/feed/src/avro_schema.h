// An Avro schema (Apache Avro 1.12 specification), ready for decoding.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::feed {

struct AvroType {
  enum class Kind : std::uint8_t {
    null,
    boolean,
    int_,
    long_,
    float_,
    double_,
    bytes,
    string,
    record,
    enum_,
    array,
    map,
    union_,
    fixed
  };
  /// What is made of the value; a logical type that is not listed, or does not fit, is passed over, as the
  /// specification asks.
  enum class Logical : std::uint8_t {
    none,
    date,
    time_millis,
    time_micros,
    timestamp_millis,
    timestamp_micros,
    timestamp_nanos,
    decimal,
    uuid
  };
  struct Field {
    std::string name;
    const AvroType* type = nullptr;
  };

  Kind kind = Kind::null;
  Logical logical = Logical::none;
  std::uint32_t scale = 0;                ///< Of a decimal.
  std::size_t size = 0;                   ///< Of a fixed.
  std::vector<Field> fields;              ///< Of a record.
  std::vector<std::string> symbols;       ///< Of an enum.
  std::vector<const AvroType*> branches;  ///< Of a union; the one type of items of an array, and of values of a map.
};

class AvroSchema {
 public:
  /// `schemas`: the schema itself last, before it those whose named types it refers to, in the order of their
  /// references. Action::reject where one of them is none, or is too large or too deep.
  [[nodiscard]] static Result<std::shared_ptr<const AvroSchema>> parse(const std::vector<std::string_view>& schemas);
  [[nodiscard]] const AvroType& root() const { return *root_; }

 private:
  friend class AvroSchemaReader;
  std::vector<std::unique_ptr<AvroType>> types_;
  const AvroType* root_ = nullptr;
};

}  // namespace marquee::feed
