// ClickHouse's Native format as clients with a protocol version read it. The engine writes it as for none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/engine/failure.h"

namespace marquee::engine {

/// The types of an answer's columns, by position; empty where they are not known.
using TypesOf = std::function<const std::vector<std::string>&()>;

/// `blocks`, whole blocks of the Native format as written for client_protocol_version=0, as they are for `version`:
/// with the information of a block before it and, from 54454 on, with the mark of plain serialization in each column.
/// The block without rows that tells the columns of an empty answer is one too. NOT_IMPLEMENTED names a type whose end
/// cannot be found (states of aggregate functions).
/// Without a version a column's DateTime('zone') is written as DateTime; `types` is asked where there is one, and tells
/// the columns' types in full (or none).
[[nodiscard]] Answer<std::string> native_for_protocol(std::string_view blocks, std::uint64_t version,
                                                      const TypesOf& types = {});

}  // namespace marquee::engine
