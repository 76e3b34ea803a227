//! The entry points of the fuzz targets (fuzz/README.md) to parsers that are private. Each panics if what must hold does not.

use std::path::Path;

pub use crate::package_manager::fuzzing::{control, deb, rpm_header, rpm_metadata, tar};

use crate::distribution::debian;
use crate::record::Record;
use crate::repository::Configuration;
use crate::result_record::ResultRecord;
use crate::runtime_configuration::RuntimeConfiguration;

/// Reads a source list of apt, in both of its formats.
pub fn source_lists(text: &str) {
    debian::source_lists(text);
}

/// Reads a copyright file of a package; returns whether it declares a licence.
pub fn copyright(text: &str) -> bool {
    crate::sbom::declares_licence(text)
}

/// Reads `kiwi.yml`; returns whether it is valid.
pub fn kiwi_yml(text: &str) -> bool {
    let mut configuration = RuntimeConfiguration::default();
    configuration.add(Path::new("kiwi.yml"), text).is_ok()
}

/// Reads `kiwi.toml`; returns whether it is valid.
pub fn kiwi_toml(text: &str) -> bool {
    Configuration::parse(text).is_ok()
}

/// Reads `kiwi.result.json`, and again after it was written.
pub fn result_record(text: &[u8]) {
    let read = |text: &[u8]| ResultRecord::parse(text, Path::new("kiwi.result.json"));
    if let Ok(record) = read(text) {
        let written = serde_json::to_vec(&record).expect("a record that was read");
        assert_eq!(read(&written).expect("a record that was written"), record);
    }
}

/// Reads `image/kiwi.json`, and again after it was written.
pub fn record(text: &[u8]) {
    if let Ok(record) = Record::parse(text) {
        let written = serde_json::to_vec(&record).expect("a record that was read");
        assert_eq!(Record::parse(&written).expect("a record that was written"), record);
    }
}
