// What ThreadSanitizer finds in the tests and is none of ours.

extern "C" {

/// RocksDB comes as a library that is not built for ThreadSanitizer, which so does not see the atomics by which its
/// writers hand a batch on, only the copies of bytes before and after them.
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): ThreadSanitizer asks for this name.
const char* __tsan_default_suppressions() { return "race:librocksdb.so\n"; }

}  // extern "C"
