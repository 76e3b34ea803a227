//! The consoles of GRUB's menu: text or graphics on the screen, the serial line, keyboards by its own drivers.

use std::path::Path;

use anyhow::{Context, Result};
use bootconfig::menu_colors;
use description::{Bootloader, Console, Input};

use super::DIRECTORY;
use crate::bootloader::console::consoles;
use crate::failure::fail;

/// The font of a menu in graphics mode.
const FONT: &str = "unicode.pf2";

/// Returns the settings for consoles, time limit and default entry of the menu.
pub(super) fn prologue(bootloader: &Bootloader) -> String {
    let serial = consoles(bootloader).contains(&Console::Serial);
    let listens = bootloader.input.contains(&Input::Serial);
    let screen = consoles(bootloader).contains(&Console::Screen);
    let mut text = String::new();
    if serial || listens {
        text += "serial --unit=0 --speed=115200\n";
    }
    let terminals: Vec<&str> = [(screen, "console"), (serial, "serial")]
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, terminal)| *terminal)
        .collect();
    let terminals = terminals.join(" ");
    let input = match bootloader.input.is_empty() {
        true => terminals.clone(),
        false => bootloader.input.iter().map(|input| terminal(*input)).collect::<Vec<_>>().join(" "),
    };
    let output = match bootloader.graphical {
        // A GRUB of Secure Boot refuses fonts; it keeps the text mode.
        true => format!(
            "if loadfont $prefix/{FONT}; then\n\tset gfxmode=auto\n\tterminal_output {}\nelse\n\tterminal_output {terminals}\nfi\n",
            terminals.replace("console", "gfxterm")
        ),
        false => format!("terminal_output {terminals}\n"),
    };
    text += &format!("terminal_input {input}\n{output}");
    text + &menu_colors::of_grub() + &format!("set default=0\nset timeout={}\n", bootloader.timeout)
}

/// Returns GRUB's name of an input device.
fn terminal(input: Input) -> &'static str {
    match input {
        Input::Screen => "console",
        Input::Serial => "serial",
        Input::AtKeyboard => "at_keyboard",
        Input::UsbKeyboard => "usb_keyboard",
    }
}

/// Returns the modules for the consoles of the menu.
pub(super) fn modules(bootloader: &Bootloader) -> Vec<&'static str> {
    let mut modules = Vec::new();
    if bootloader.graphical {
        modules.extend(["all_video", "font", "gfxterm"]);
    }
    for input in &bootloader.input {
        match input {
            // In every image.
            Input::Screen | Input::Serial => {}
            Input::AtKeyboard => modules.push("at_keyboard"),
            Input::UsbKeyboard => modules.extend(["uhci", "ohci", "ehci", "usb_keyboard"]),
        }
    }
    modules
}

/// Returns the font of a menu in graphics mode, from this host: its path beside the menu, and its bytes.
pub fn font(bootloader: &Bootloader) -> Result<Option<(String, Vec<u8>)>> {
    if !bootloader.graphical {
        return Ok(None);
    }
    let known = ["/usr/share/grub/unicode.pf2", "/usr/share/grub2/unicode.pf2"];
    match known.iter().find(|path| Path::new(path).is_file()) {
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| format!("reading {path}"))?;
            Ok(Some((format!("{DIRECTORY}/{FONT}"), bytes)))
        }
        None => fail!(
            MissingProgram,
            "output_console=\"gfxterm\" requires GRUB's font unicode.pf2, which is not installed; install the package that \
             provides it: grub-common on Debian"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_is_operated_where_the_description_says() {
        let text = |output: &[Console], graphical, input: &[Input]| {
            prologue(&Bootloader {
                output: output.to_vec(),
                graphical,
                input: input.to_vec(),
                ..Bootloader::default()
            })
        };
        let serial_keyboard = text(&[Console::Screen], false, &[Input::Serial, Input::AtKeyboard]);
        let expected =
            "serial --unit=0 --speed=115200\nterminal_input serial at_keyboard\nterminal_output console\n";
        assert!(serial_keyboard.starts_with(expected), "{serial_keyboard}");
        let graphical = text(&[Console::Screen, Console::Serial], true, &[]);
        assert!(
            graphical.contains("terminal_input console serial\nif loadfont $prefix/unicode.pf2; then\n"),
            "{graphical}"
        );
        assert!(
            graphical
                .contains("\tterminal_output gfxterm serial\nelse\n\tterminal_output console serial\nfi\n")
        );
        let modules = |input: &[Input]| {
            super::modules(&Bootloader { graphical: true, input: input.to_vec(), ..Bootloader::default() })
        };
        assert!(
            modules(&[]).contains(&"gfxterm") && modules(&[Input::UsbKeyboard]).contains(&"usb_keyboard")
        );
    }
}
