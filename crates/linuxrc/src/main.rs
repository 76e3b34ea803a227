//! linuxrc, the program that the kernel starts as `/init` of a boot image. Everything it does is in the library.

fn main() {
    linuxrc::start()
}
