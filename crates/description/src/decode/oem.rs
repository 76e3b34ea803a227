//! `<oemconfig>`.

use crate::document::Element;
use crate::{Mebibytes, Oem, words};

pub(super) fn oem(config: &Element) -> Oem {
    let text = |name: &str| config.child_text(name).map(|text| text.text.as_str());
    let is_on = |name: &str| text(name).and_then(words::boolean).unwrap_or(false);
    let megabytes = |name: &str| text(name).and_then(words::number).map(Mebibytes);
    Oem {
        swap: is_on("oem-swap").then(|| megabytes("oem-swapsize").unwrap_or(Mebibytes(128))),
        system_size: megabytes("oem-systemsize"),
        unattended: is_on("oem-unattended"),
        unattended_disk: text("oem-unattended-id").map(str::to_owned),
        shutdown: is_on("oem-shutdown"),
    }
}
