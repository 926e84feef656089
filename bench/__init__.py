"""Benchmarks of the built Marquee, each beside its peer in the same run. See README.md."""
