# cmake -DINPUT=<text file> -DOUTPUT=<file.cpp> -DHEADER=<its header> -DNAMESPACE=<a::b> -DNAME=<variable> -P EmbedText.cmake
# Writes a string view of the file's text. A literal may be no longer than 64 KiB everywhere, so it is cut into lines.
file(READ ${INPUT} text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
get_filename_component(source ${INPUT} NAME)
file(WRITE ${OUTPUT} "// Made by cmake/EmbedText.cmake from ${source}. Do not edit.
#include \"${HEADER}\"

namespace ${NAMESPACE} {

extern const std::string_view ${NAME};
const std::string_view ${NAME} =
    \"${text}\";

}  // namespace ${NAMESPACE}
")
