//! Static PID 1 of the boot images.

fn main() {}
