# Run as a script: cmake -DINPUT=file -DOUTPUT=file.cc -DFUNCTION=name -P EmbedFile.cmake
# Writes a C++ source whose function monitor::FUNCTION() returns the bytes of INPUT.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUTPUT} "#include <string_view>
namespace monitor {
namespace {
constexpr char kBytes[] = {${bytes}};
}
std::string_view ${FUNCTION}();
std::string_view ${FUNCTION}() { return {kBytes, sizeof kBytes}; }
}  // namespace monitor
")
