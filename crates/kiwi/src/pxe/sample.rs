//! Sample configurations of the servers that a tree needs.

use std::path::Path;

use super::{Network, Settings, Transport};

/// Returns all of them: the name and the text of each.
pub(super) fn all(settings: &Settings, tree: &Path) -> Vec<(String, String)> {
    let network = settings.network;
    let directory = tree.display().to_string();
    let mut samples = vec![
        ("dnsmasq.conf".to_owned(), dnsmasq(network)),
        ("dhcpd.conf".to_owned(), dhcpd(network)),
        ("tftpd-hpa".to_owned(), tftpd(&directory)),
    ];
    if settings.transport == Transport::Http {
        samples.push(("nginx.conf".to_owned(), nginx(&directory)));
    }
    samples
}

/// dnsmasq gives addresses and the name of the first program. It does not serve the files: its TFTP takes no uploads, with
/// which machines register.
fn dnsmasq(network: Network) -> String {
    let Network { server, .. } = network;
    let (first, last) = network.machines();
    format!(
        "# DHCP for machines that boot from {server}: copy to /etc/dnsmasq.d/kiwi-pxe.conf and restart dnsmasq.
# Use this or dhcpd.conf, and no other DHCP server in the same network.
port=0
listen-address={server}
bind-interfaces
dhcp-range={first},{last},{mask},12h
dhcp-match=set:bios,option:client-arch,0
dhcp-match=set:efi,option:client-arch,7
dhcp-match=set:efi,option:client-arch,9
# Network cards with iPXE load its script; others load pxelinux or GRUB, or iPXE: ipxe/undionly.kpxe, ipxe/snponly.efi
dhcp-match=set:ipxe,175
dhcp-boot=tag:ipxe,ipxe/default.ipxe,,{server}
dhcp-boot=tag:bios,tag:!ipxe,pxelinux.0,,{server}
dhcp-boot=tag:efi,tag:!ipxe,grub/grubx64.efi,,{server}
",
        mask = network.mask()
    )
}

fn dhcpd(network: Network) -> String {
    let Network { server, .. } = network;
    let (first, last) = network.machines();
    format!(
        "# DHCP for machines that boot from {server}: copy to /etc/dhcp/dhcpd.conf, name the network card in
# /etc/default/isc-dhcp-server, and restart isc-dhcp-server.
# Use this or dnsmasq.conf, and no other DHCP server in the same network.
option architecture code 93 = unsigned integer 16;
default-lease-time 43200;
authoritative;
subnet {network} netmask {mask} {{
  range {first} {last};
  next-server {server};
  if exists user-class and option user-class = \"iPXE\" {{
    filename \"ipxe/default.ipxe\";
  }} elsif option architecture = 00:07 or option architecture = 00:09 {{
    filename \"grub/grubx64.efi\";
  }} else {{
    filename \"pxelinux.0\";
  }}
}}
",
        network = network.network(),
        mask = network.mask()
    )
}

/// `--create` lets machines register. With `--permissive` the permissions of the user decide, who can write to `upload` only;
/// without it the server refuses to write a file that not everybody may write to, also one that it has just created.
fn tftpd(directory: &str) -> String {
    format!(
        "# TFTP: copy to /etc/default/tftpd-hpa and restart tftpd-hpa.
TFTP_USERNAME=\"tftp\"
TFTP_DIRECTORY=\"{directory}\"
TFTP_ADDRESS=\":69\"
TFTP_OPTIONS=\"--secure --create --permissive --umask 022\"
"
    )
}

fn nginx(directory: &str) -> String {
    format!(
        "# HTTP for systems, which is much quicker than TFTP: copy to /etc/nginx/sites-enabled/kiwi-pxe, remove the site
# default there, and restart nginx.
server {{
  listen 80 default_server;
  root {directory};
  sendfile on;
  tcp_nopush on;
  location /server/ {{
    deny all;
  }}
  location = /kiwi-pxe.json {{
    deny all;
  }}
  location /upload/ {{
    limit_except PUT {{
      deny all;
    }}
    dav_methods PUT;
    client_max_body_size 1m;
  }}
}}
"
    )
}
