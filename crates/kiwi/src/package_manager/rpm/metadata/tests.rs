//! Tests of the readers on the metadata that createrepo_c and older tools write.

use std::io::{Read as _, Write as _};

use super::*;

const SUM: &str = "37bb543b2b8fc7f0418f8280bdb6da3bd9aa201ae77e138e38d5387a60387bff";

fn repomd() -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1795928408</revision>
  <data type="primary">
    <checksum type="sha256">{SUM}</checksum>
    <open-checksum type="sha256">{SUM}</open-checksum>
    <location href="repodata/{SUM}-primary.xml.gz"/>
    <timestamp>1795928409.25</timestamp>
    <size>78747</size>
  </data>
  <data type="group">
    <checksum type="sha">da39a3ee5e6b4b0d3255bfef95601890afd80709</checksum>
    <location href="repodata/comps.xml"/>
  </data>
</repomd>"#
    )
}

fn primary(location: &str) -> String {
    format!(
        r#"<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
<package type="rpm">
  <name>gcc-c++</name><arch>x86_64</arch><version epoch="4" ver="12.2.0" rel="3+b1"/>
  <checksum type="sha256" pkgid="YES">{SUM}</checksum>
  <summary>C++ &amp; more</summary><description>a &lt; b</description>
  <time file="2" build="1700000000"/><size package="269464" installed="581447" archive="601924"/>
  {location}
  <format><rpm:provides><rpm:entry name="gcc-c++"/></rpm:provides><file>/x</file></format>
</package>
<package type="rpm">
  <name>a</name><arch>noarch</arch><version epoch="0" ver="1~rc1" rel="0"/>
  <checksum type="sha256">{SUM}</checksum><location href="./a.rpm"/>
</package>
</metadata>"#
    )
}

fn read(text: &str) -> Result<Vec<PrimaryPackage>> {
    let mut found = Vec::new();
    packages(text.as_bytes(), |package| {
        found.push(package);
        Ok(())
    })?;
    Ok(found)
}

#[test]
fn a_repomd_lists_files_with_their_checksums() {
    let repomd = Repomd::parse(repomd().as_bytes()).unwrap();
    let primary = repomd.file("primary").unwrap();
    assert_eq!(primary.location, format!("repodata/{SUM}-primary.xml.gz"));
    assert_eq!(primary.checksum.sha256(), Some(SUM));
    assert_eq!((primary.size, primary.timestamp), (Some(78747), Some(1_795_928_409)));
    assert_eq!(repomd.time(), 1_795_928_409);
    let groups = repomd.groups().unwrap();
    assert_eq!(groups.checksum.algorithm, Algorithm::Sha1);
    assert_eq!(groups.checksum.to_string(), "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

#[test]
fn a_repomd_with_a_path_outside_or_a_wrong_checksum_is_refused() {
    for (from, to) in [
        ("repodata/comps.xml", "../comps.xml"),
        ("repodata/comps.xml", "/etc/passwd"),
        ("da39", "da3"),
        ("type=\"sha\"", "type=\"crc\""),
        ("78747", "many"),
        ("</repomd>", ""),
    ] {
        let text = repomd().replace(from, to);
        assert!(Repomd::parse(text.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn every_package_of_a_primary_is_read() {
    let found = read(&primary(r#"<location xml:base="https://m.example/x" href="x86_64/g.rpm"/>"#)).unwrap();
    assert_eq!(found.len(), 2);
    let first = &found[0];
    assert_eq!(first.nevra(), "gcc-c++-4:12.2.0-3+b1.x86_64");
    assert_eq!(
        (first.base.as_deref(), first.location.as_str()),
        (Some("https://m.example/x"), "x86_64/g.rpm")
    );
    assert_eq!((first.file_size, first.installed_size, first.build_time), (269_464, 581_447, 1_700_000_000));
    assert_eq!(found[1].nevra(), "a-1~rc1-0.noarch");
    assert_eq!(found[1].location, "a.rpm");
    for edition in [&first.edition, &found[1].edition] {
        assert_eq!(Edition::parse(&edition.to_string()).as_ref(), Some(edition));
    }
}

#[test]
fn a_package_that_could_leave_its_directory_is_refused_by_name() {
    let location = r#"<location href="g.rpm"/>"#;
    for (from, to) in [
        ("gcc-c++</name>", "../gcc</name>"),
        ("ver=\"12.2.0\"", "ver=\"12/2\""),
        ("epoch=\"4\"", "epoch=\"x\""),
        ("<arch>x86_64", "<arch>../x"),
        ("href=\"g.rpm\"", "href=\"../../g.rpm\""),
        (location, ""),
    ] {
        assert!(read(&primary(location).replace(from, to)).is_err(), "{to}");
    }
    let error = format!("{:#}", read(&primary("")).unwrap_err());
    assert!(error.contains("gcc-c++") && error.contains("location"), "{error}");
}

#[test]
fn every_compression_is_recognised_by_its_content() {
    let text = primary(r#"<location href="g.rpm"/>"#);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(text.as_bytes()).unwrap();
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    for bytes in [text.clone().into_bytes(), gzip.finish().unwrap(), xz.finish().unwrap(), zstd] {
        let mut plain = String::new();
        uncompressed(bytes.as_slice()).unwrap().read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text);
    }
}

#[test]
fn patterns_and_groups_name_their_packages() {
    let text = r#"<patterns xmlns="http://novell.com/package/metadata/suse/pattern" xmlns:rpm="http://linux.duke.edu/metadata/rpm" count="1">
<pattern><name>base</name><version epoch="0" ver="12" rel="1"/><arch>noarch</arch>
<summary lang="de">Grundsystem</summary><summary>Base System</summary><description>text</description>
<rpm:requires><rpm:entry name="patterns-base-base"/></rpm:requires>
<rpm:recommends><rpm:entry name="nano"/></rpm:recommends></pattern></patterns>"#;
    let pattern = Group {
        id: "base".into(),
        title: "Base System".into(),
        required: vec!["patterns-base-base".into()],
        recommended: vec!["nano".into()],
        optional: vec![],
    };
    assert_eq!(patterns(text.as_bytes()).unwrap(), [pattern]);

    let text = r#"<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps><group><id>core</id><name>Core</name><name xml:lang="de">Kern</name><packagelist>
<packagereq type="mandatory">bash</packagereq><packagereq type="default">nano</packagereq>
<packagereq type="optional">vim</packagereq><packagereq type="conditional" requires="x">y</packagereq>
</packagelist></group><environment><id>e</id></environment></comps>"#;
    let group = Group {
        id: "core".into(),
        title: "Core".into(),
        required: vec!["bash".into()],
        recommended: vec!["nano".into(), "y".into()],
        optional: vec!["vim".into()],
    };
    assert_eq!(groups(text.as_bytes()).unwrap(), [group]);
}
