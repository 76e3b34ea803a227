//! `<oemconfig>`.

use crate::document::Element;
use crate::{Oem, schema};
use ondisk::Mebibytes;

pub(super) fn oem(config: &Element) -> Oem {
    let text = |name: &str| config.child_text(name).map(|text| text.text.as_str());
    let is_on = |name: &str| text(name).and_then(schema::boolean).unwrap_or(false);
    let shutdown = is_on("oem-shutdown") || is_on("oem-shutdown-interactive");
    let end = if shutdown { "oem-shutdown-interactive" } else { "oem-reboot-interactive" };
    let megabytes = |name: &str| text(name).and_then(schema::number).map(Mebibytes);
    Oem {
        swap: is_on("oem-swap")
            .then(|| megabytes("oem-swapsize").unwrap_or(Mebibytes(128)))
            .filter(|size| *size > Mebibytes(0)),
        system_size: megabytes("oem-systemsize"),
        unattended: is_on("oem-unattended"),
        unattended_disk: text("oem-unattended-id").map(str::to_owned),
        shutdown,
        wait: is_on(end) || is_on("oem-bootwait"),
        device_filter: text("oem-device-filter").map(str::to_owned),
        silent_install: is_on("oem-silent-install"),
        silent_verify: is_on("oem-silent-verify"),
        skip_verify: is_on("oem-skip-verify"),
        silent_boot: is_on("oem-silent-boot"),
    }
}
