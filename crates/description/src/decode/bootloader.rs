//! Firmware, `<bootloader>` and kernel parameters of a type.

use super::{boolean, number};
use crate::document::{Element, Text};
use crate::unsupported::Unsupported;
use crate::{Bootloader, BootloaderName, Console, Firmware, Input};
use ondisk::command_line::CommandLine;

/// A disk with UEFI also boots by BIOS unless `eficsm="false"`, as with KIWI NG.
pub(super) fn firmware(element: &Element) -> Firmware {
    match element.value("firmware").map(|firmware| firmware.text.as_str()) {
        Some("bios" | "ec2") => Firmware::Bios,
        _ if boolean(element, "eficsm") == Some(false) => Firmware::Uefi,
        _ => Firmware::BiosAndUefi,
    }
}

/// `firmware="uefi"` means Secure Boot, `efi` UEFI without it.
pub(super) fn secure_boot(element: &Element) -> bool {
    element.value("firmware").is_some_and(|firmware| firmware.text == "uefi")
}

pub(super) fn bootloader(element: &Element) -> Bootloader {
    let default = Bootloader::default();
    let (mut output, mut graphical) = (Vec::new(), false);
    for keyword in element.value("output_console").map(Text::keywords).unwrap_or_default() {
        let console = if keyword.text == "serial" { Console::Serial } else { Console::Screen };
        graphical |= keyword.text == "gfxterm";
        if !output.contains(&console) {
            output.push(console);
        }
    }
    let keywords = element.value("input_console").map(Text::keywords).unwrap_or_default();
    let input = keywords.iter().filter_map(|keyword| match keyword.text.as_str() {
        "console" => Some(Input::Screen),
        "serial" => Some(Input::Serial),
        "at_keyboard" => Some(Input::AtKeyboard),
        "usb_keyboard" => Some(Input::UsbKeyboard),
        // Refused.
        _ => None,
    });
    Bootloader {
        // Others are refused.
        name: element.value("name").and_then(|name| BootloaderName::parse(&name.text)).unwrap_or_default(),
        timeout: number(element, "timeout")
            .and_then(|timeout| u32::try_from(timeout).ok())
            .unwrap_or(default.timeout),
        output,
        graphical,
        input: input.collect(),
    }
}

/// Reports kernel parameters that a boot loader would not pass on as they are written.
pub(super) fn command_line(element: &Element) -> Vec<Unsupported> {
    let of_clients = element.child("deploy").and_then(|deploy| deploy.child("commandline"));
    let texts =
        element.value("kernelcmdline").into_iter().chain(of_clients.and_then(|line| line.text.as_ref()));
    let problem = |text: &Text| {
        let error = CommandLine::parse(&text.text).err()?;
        Some(Unsupported::of_all_schemas(&format!("this kernel command line ({error})"), text.span.clone()))
    };
    texts.filter_map(problem).collect()
}
