//! Consoles of boot loader and kernel.

use description::{Bootloader, Console};

/// Returns the kernel parameters for the consoles of the description: the last one is `/dev/console`.
pub fn parameters(bootloader: &Bootloader) -> Vec<&'static str> {
    let parameter = |console: &Console| match console {
        Console::Screen => "console=tty0",
        Console::Serial => "console=ttyS0,115200",
    };
    consoles(bootloader).iter().map(parameter).collect()
}

/// Returns the consoles of the description; screen and serial line if it names none.
pub(super) fn consoles(bootloader: &Bootloader) -> Vec<Console> {
    match bootloader.output.is_empty() {
        true => vec![Console::Screen, Console::Serial],
        false => bootloader.output.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_consoles_are_the_default() {
        assert_eq!(parameters(&Bootloader::default()), ["console=tty0", "console=ttyS0,115200"]);
    }
}
