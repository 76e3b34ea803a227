//! No text makes reading it as a setting that kiwi gives to linuxrc panic, and what is read is written so that it reads back.
//!
//! The first byte of an input chooses the format; the rest is the text.
#![no_main]

use std::fmt::Debug;

use bootconfig::{
    BootConfig, BootParameters, Checksum, Deployed, InstallConfig, LiveConfig, LiveParameters, MediumSum,
    Parameters, RootDevice, Storage, Volume,
};
use libfuzzer_sys::fuzz_target;
use ondisk::Bytes;

/// Reads a text and, if it is valid, what is written of it.
fn round<T: Debug + PartialEq + ToString, E: Debug>(text: &str, parse: impl Fn(&str) -> Result<T, E>) {
    if let Ok(value) = parse(text) {
        assert_eq!(parse(&value.to_string()).expect("a written text"), value);
    }
}

fuzz_target!(|input: &[u8]| {
    let [format, bytes @ ..] = input else { return };
    if format % 16 == 15 {
        let _ = (Volume::parse(bytes).map(|volume| volume.summed()), MediumSum::parse(bytes));
        return;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match format % 16 {
        0 => {
            round(text, |text| Deployed::parse(text, None));
            let _ = Deployed::parse(text, Some(2)).map(|deployed| deployed.least(Bytes(1 << 20)));
        }
        1 | 2 => round(text, Storage::parse),
        3 => round(text, RootDevice::parse),
        4 => round(text, Checksum::parse),
        5 => round(text, LiveConfig::parse),
        6 => {
            let config = InstallConfig::parse(text);
            let _ = config
                .map(|config| (config.to_string(), config.deployed.map(|disk| disk.least(Bytes(1 << 20)))));
        }
        7 | 8 => {
            let parameters = Parameters::parse(text);
            let _ = (BootParameters::of(&parameters), LiveParameters::of(&parameters));
        }
        _ => round(text, BootConfig::parse),
    }
});
