# cmake -DINPUT=<text file> -DOUTPUT=<file.cpp> -DHEADER=<its header> -DNAMESPACE=<a::b> -DNAME=<function> -P EmbedText.cmake
# Writes a function that gives the file's text. Compilers need not take a literal of more than 64 KiB, so each line is one.
file(READ ${INPUT} text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\",\n      \"" text "${text}")
get_filename_component(source ${INPUT} NAME)
file(WRITE ${OUTPUT} "// Made by cmake/EmbedText.cmake from ${source}. Do not edit.
#include \"${HEADER}\"

#include <string_view>

namespace ${NAMESPACE} {

std::string ${NAME}() {
  constexpr std::string_view kLines[] = {
      \"${text}\"};
  std::string text;
  for (const std::string_view line : kLines) text += line;
  return text;
}

}  // namespace ${NAMESPACE}
")
