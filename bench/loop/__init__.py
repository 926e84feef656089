"""The closed loop: policies that serve ads in the environments of `marquee simulate`, Marquee among them, over HTTP. See bench/README.md."""
