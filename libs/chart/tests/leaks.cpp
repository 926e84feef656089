// What LeakSanitizer finds in the tests and is none of ours.

extern "C" {

/// Fontconfig keeps the patterns of fonts that it has found for as long as the process lives; they grow with the number
/// of fonts and not with that of pictures.
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): LeakSanitizer asks for this name.
const char* __lsan_default_suppressions() { return "leak:libfontconfig.so\n"; }

}  // extern "C"
