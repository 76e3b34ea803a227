//! The texts in a Vagrant box (docs/formats/image-files.md).

use description::{VagrantBox, VagrantProvider};
use serde_json::{Value, json};

/// The Vagrantfile of the description in a box, where Vagrant's own boxes have theirs.
pub(super) const INCLUDED: &str = "include/_Vagrantfile";

/// Returns `metadata.json`.
pub(super) fn metadata(of: &VagrantBox) -> String {
    let provider = of.provider.keyword();
    let text = match of.provider {
        VagrantProvider::Libvirt => json!({"provider": provider, "format": "qcow2", "virtual_size": of.size}),
        VagrantProvider::VirtualBox => json!({"provider": provider}),
    };
    format!("{text}\n")
}

/// Returns the Vagrantfile of a box.
pub(super) fn vagrantfile(of: &VagrantBox, id: [u8; 16]) -> String {
    let mut lines = Vec::new();
    if !of.guest_additions {
        lines.push(r#"config.vm.synced_folder ".", "/vagrant", type: "rsync""#.to_owned());
    }
    match of.provider {
        VagrantProvider::Libvirt => {
            lines.extend(
                [
                    "config.vm.provider :libvirt do |libvirt|",
                    r#"  libvirt.driver = "kvm""#,
                    r#"  libvirt.disk_bus = "virtio""#,
                    "end",
                ]
                .map(str::to_owned),
            );
        }
        VagrantProvider::VirtualBox => lines.push(format!(r#"config.vm.base_mac = "{}""#, mac(id))),
    }
    let body: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    let included = format!("File.expand_path(\"../{INCLUDED}\", __FILE__)");
    let include = match of.vagrantfile {
        Some(_) => format!("load {included}\n"),
        None => String::new(),
    };
    format!("Vagrant.configure(\"2\") do |config|\n{body}end\n{include}")
}

/// Returns the hardware address of the network card in VirtualBox, in VirtualBox's own range.
pub(super) fn mac(id: [u8; 16]) -> String {
    format!("080027{:02X}{:02X}{:02X}", id[13], id[14], id[15])
}

/// Returns the catalogue with which `vagrant box add` finds the boxes; each has its file and its SHA-256.
pub(super) fn catalogue(image: &str, version: &str, boxes: &[(&VagrantBox, String, String)]) -> String {
    let name = boxes.iter().find_map(|(of, ..)| of.name.as_deref()).unwrap_or(image);
    let provider = |(of, file, sha256): &(&VagrantBox, String, String)| -> Value {
        json!({"name": of.provider.keyword(), "url": file, "checksum_type": "sha256", "checksum": sha256})
    };
    let providers: Vec<Value> = boxes.iter().map(provider).collect();
    let text = json!({"name": name, "versions": [{"version": version, "providers": providers}]});
    format!("{text:#}\n")
}
