use description::{Choice, Description, SourceFile};

use super::*;

const DEPLOY: &str = r#"<deploy server="192.168.100.2" blocksize="4096">
  <partitions device="/dev/sda"><partition type="swap" number="1" size="200"/>
    <partition type="L" number="2" size="image" mountpoint="/" target="true"/><partition number="3" mountpoint="x"/></partitions>
  UNION<configuration source="/KIWI/a/ntp.conf" dest="/etc/ntp.conf"/>
  <configuration source="/KIWI/a/x" dest="/etc/x" arch="aarch64"/>
  <timeout>5</timeout><commandline>quiet</commandline><kernel>/boot/linux</kernel><initrd>/boot/initrd</initrd></deploy>"#;

fn selection(image_type: &str, deploy: &str) -> Selection {
    let text = format!(
        r#"<image schemaversion="8.5" name="n"><description type="system"><author>A</author><contact>C</contact>
      <specification>S</specification></description><preferences><version>1.1.2</version><packagemanager>apt</packagemanager>
      {image_type}</preferences>{deploy}<repository><source path="debian://bookworm"/></repository>
      <packages type="image"><package name="p"/></packages></image>"#
    );
    let parsed = Description::parse(SourceFile { name: "f".into(), text });
    let description = parsed.description.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
    let architecture = Some(description::Architecture::new("x86_64"));
    description.select(&Choice { architecture, ..Choice::default() }).unwrap()
}

fn written(image_type: &str, deploy: &str, compressed: bool) -> Result<String> {
    let selection = selection(image_type, deploy);
    let name = ImageName::new("n", "x86_64", "1.1.2");
    let client = match &selection.image_type {
        description::ImageType::Pxe(client) => Some(&**client),
        _ => None,
    };
    let system = System { name: &name, size: Mebibytes(300), compressed, read_only: None, client };
    plan(&selection, &system).map(|config| config.map_or_else(String::new, |config| config.to_string()))
}

const PXE: &str = r#"<type image="pxe" boot="netboot/debian-12" filesystem="ext4" kernelcmdline="splash"/>"#;

#[test]
fn a_network_client_gets_every_value_of_deploy() {
    assert_eq!(
        written(PXE, &DEPLOY.replace("UNION", ""), true).unwrap(),
        "DISK=/dev/sda\nPART=200;S;x,300;L;/,x;L;x,\nIMAGE=/dev/sda2;n.x86_64;1.1.2;192.168.100.2;4096;compressed\n\
         CONF=/KIWI/a/ntp.conf;/etc/ntp.conf;192.168.100.2;4096,\nKIWI_BOOT_TIMEOUT=5\nKIWI_KERNEL_OPTIONS=quiet splash\n\
         KIWI_KERNEL=/boot/linux\nKIWI_INITRD=/boot/initrd\n"
    );
}

#[test]
fn a_union_needs_the_device_of_the_image() {
    let union = |read_only: &str| {
        let element = format!(r#"<union rw="/dev/sda3" ro="{read_only}" type="overlay"/>"#);
        written(&PXE.replace("ext4", "squashfs"), &DEPLOY.replace("UNION", &element), false)
    };
    let text = union("/dev/sda2").unwrap();
    assert!(text.contains("\nUNIONFS_CONFIG=/dev/sda3,/dev/sda2,overlay\n"), "{text}");
    let error = union("/dev/sdb1").unwrap_err().to_string();
    assert!(error.contains("IMAGE writes no image to it"), "{error}");
}

#[test]
fn without_attributes_the_client_decides() {
    let bare = r#"<deploy><partitions device="/dev/nvme0n1"><partition type="Linux swap" number="1" size="9"/>
      <partition type="linux" number="2"/></partitions></deploy>"#;
    let text = written(PXE, bare, false).unwrap();
    assert!(
        text.starts_with("DISK=/dev/nvme0n1\nPART=9;S;x,x;83;x,\nIMAGE=/dev/nvme0n1p2;n.x86_64;1.1.2\n"),
        "{text}"
    );
    let memory = written(PXE, "<deploy server=\"10.0.0.1\"/>", true).unwrap();
    assert!(memory.starts_with("IMAGE=/dev/ram1;n.x86_64;1.1.2;10.0.0.1;;compressed\n"), "{memory}");
    assert_eq!(written(PXE, "", false).unwrap(), "");
}

#[test]
fn a_client_needs_a_disk_that_has_the_partitions() {
    let partition = r#"<deploy><partitions><partition number="1" mountpoint="/"/></partitions></deploy>"#;
    let error = written(PXE, partition, false).unwrap_err().to_string();
    assert!(error.contains("add device="), "{error}");
    let filesystem = written(r#"<type image="ext4"/>"#, partition, false).unwrap();
    assert_eq!(filesystem, "PART=x;L;/,\nIMAGE=1;n.x86_64;1.1.2\n", "an installation asks for the disk");
    let one = partition
        .replace("<partitions>", "<partitions device=\"/dev/sda\">")
        .replace("mountpoint=\"/\"", "type=\"S\"");
    let error = written(PXE, &one, false).unwrap_err().to_string();
    assert!(error.contains("/dev/sda2 is not one of the 1 partitions of PART"), "{error}");
}
