//! What the selection has for one image type.

use super::*;

#[test]
fn deploy_inside_a_type_affects_only_that_type() {
    let deploy = |server: &str| format!(r#"<deploy server="{server}"/>"#);
    let types = format!(
        r#"<preferences><version>1.0.0</version>
        <type image="oem" filesystem="ext4">{}</type><type image="ext4"/><type image="vmx" filesystem="ext4"/></preferences>"#,
        deploy("10.0.0.1")
    );
    let server = |description: &Description, keyword: &str| {
        let selection = description.select(&choice(&[], Some(keyword), "x86_64")).expect("a selection");
        selection.deploy.and_then(|deploy| deploy.server)
    };
    let inside = schema_8_5(&types);
    assert_eq!(server(&inside, "oem").as_deref(), Some("10.0.0.1"));
    assert_eq!((server(&inside, "ext4"), server(&inside, "vmx")), (None, None));
    let both = schema_8_5(&(types + &deploy("10.0.0.2")));
    assert_eq!(server(&both, "oem").as_deref(), Some("10.0.0.1"), "the type's own goes first");
    assert_eq!(server(&both, "vmx").as_deref(), Some("10.0.0.2"));
}

#[test]
fn partitions_of_a_type_replace_those_of_deploy() {
    let text = r#"<preferences><version>1.0.0</version><type image="oem" filesystem="ext4">
        <partitions><partition name="a" size="1G" mountpoint="/a" filesystem="xfs"/></partitions></type>
        <type image="vmx" filesystem="ext4"/></preferences>
        <deploy server="10.0.0.1"><partitions><partition number="1" mountpoint="/b"/></partitions></deploy>"#;
    let description = schema_8_5(text);
    let select = |keyword| description.select(&choice(&[], Some(keyword), "x86_64")).expect("a selection");
    let partitions = |selection: &Selection| selection.deploy.as_ref().map(|deploy| deploy.partitions.len());
    assert_eq!((partitions(&select("oem")), partitions(&select("vmx"))), (Some(0), Some(1)));
    let ImageType::Disk(disk) = select("oem").image_type else { panic!("a disk") };
    let partition = &disk.partitions[0];
    assert_eq!((partition.size.0, partition.partition_name.as_str()), (1024, "p.lxa"));
    assert_eq!(partition.label.as_deref(), Some("A"));
}

#[test]
fn zero_swap_space_relative_homes_and_numbers_of_groups_have_a_meaning() {
    let selection = select(
        &schema_8_5(
            r#"<preferences><version>1.0.0</version><type image="oem" filesystem="ext4">
            <oemconfig><oem-swap>true</oem-swap><oem-swapsize>0</oem-swapsize></oemconfig></type></preferences>
            <users><user name="a" password="*" home="srv/a" groups="100,audio"/></users>"#,
        ),
        &[],
    );
    let ImageType::Disk(disk) = &selection.image_type else { panic!("a disk") };
    assert_eq!(disk.oem.swap, None);
    assert_eq!(selection.users[0].home.as_deref(), Some("/srv/a"));
    assert_eq!(selection.users[0].groups[0], Group::Numbered(100));
}

#[test]
fn live_systems_have_the_script_for_the_configuration_of_the_boot_loader() {
    let sections = r#"<preferences><version>1.0.0</version><type image="iso" flags="overlay" editbootconfig="edit.sh"/></preferences>"#;
    let selection = select(&schema_8_5(sections), &[]);
    let scripts = selection.image_type.boot_scripts();
    assert_eq!((scripts.len(), scripts[0].attribute, scripts[0].script), (1, "editbootconfig", "edit.sh"));
}

#[test]
fn a_split_image_has_the_lists_of_its_type_or_those_outside() {
    let files = |description: &Description, profiles: &[&str]| match select(description, profiles).image_type
    {
        ImageType::Split(split) => split.files.map(|files| files.temporary.files.concat()),
        other => panic!("{other:?}"),
    };
    let type_of =
        |lists: &str| format!(r#"<type image="split" fsreadwrite="ext4" fsreadonly="erofs">{lists}</type>"#);
    let lists = |path: &str| format!(r#"<split><temporary><file name="{path}"/></temporary></split>"#);
    let own = schema_8_5(&format!(
        r#"<profiles><profile name="a" description="A"/><profile name="b" description="B"/></profiles>
        <preferences><version>1.0.0</version></preferences><preferences profiles="a">{}</preferences>
        <preferences profiles="b">{}</preferences>"#,
        type_of(""),
        type_of(&lists("/b"))
    ));
    assert_eq!((files(&own, &["a"]), files(&own, &["b"])), (None, Some("/b".to_owned())));
    let outside = format!(
        r#"<image name="x" schemeversion="1.4">{ABOUT}<preferences><type filesystem="ext3,squashfs">split</type>
        <version>1.0.0</version></preferences>{}</image>"#,
        lists("/c")
    );
    assert_eq!(files(&parse(&outside), &[]), Some("/c".to_owned()));
}
