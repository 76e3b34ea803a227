//! No text makes reading it as the configuration or the registration of a network client, or as kernel parameters of its boot,
//! panic, and what is read is written so that it reads back.
//!
//! The first byte of an input chooses the format; the rest is the text.
#![no_main]

use bootconfig::{ClientConfig, InstallConfig, MacAddress, NetParameters, Parameters, Registration};
use libfuzzer_sys::fuzz_target;
use ondisk::Bytes;

fuzz_target!(|input: &[u8]| {
    let [format, bytes @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match format % 8 {
        0 => {
            let parameters = Parameters::parse(text);
            let _ = (NetParameters::of(&parameters), ClientConfig::of_parameters(&parameters));
        }
        1 => {
            if let Ok(registration) = Registration::parse(text) {
                assert_eq!(Registration::parse(&registration.to_string()), Ok(registration));
            }
            if let Ok(mac) = MacAddress::parse(text) {
                assert_eq!(MacAddress::parse(&mac.to_string()), Ok(mac));
            }
        }
        _ => {
            let client = ClientConfig::parse_client(text);
            let Ok(config) = ClientConfig::parse(text) else {
                assert!(client.is_err(), "a client accepts what is not a configuration");
                return;
            };
            assert_eq!(ClientConfig::parse(&config.to_string()), Ok(config.clone()));
            let _ = config.images.iter().map(|image| (image.image_path(), image.checksum_path())).count();
            if let Ok(install) = InstallConfig::of(&config) {
                let _ = install.deployed.map(|disk| disk.least(Bytes(1 << 20)));
            }
        }
    }
});
