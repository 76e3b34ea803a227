//! The rules by which a description and a choice become a selection.

mod types;

use description::{
    Architecture, Choice, Description, DriverKind, Group, ImageType, PackageManager, PatternType,
    RepositoryType, Selection, SourceFile, SourcePath, TypeBuild,
};

fn parse(text: &str) -> Description {
    let parsed = Description::parse(SourceFile { name: "config.xml".into(), text: text.into() });
    parsed.description.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

const ABOUT: &str = r#"<description type="system"><author>A</author><contact>c</contact><specification>S</specification></description>"#;

/// A description of schema 1.4 with these sections.
fn schema_1_4(sections: &str) -> Description {
    parse(&format!(
        r#"<image name="x" schemeversion="1.4">{ABOUT}
        <preferences><type>ext3</type><type primary="true" filesystem="ext3">vmx</type>
        <type filesystem="ext3" boot="xenboot/x">xen</type><version>1.0.0</version></preferences>{sections}</image>"#
    ))
}

/// A description of schema 8.5 with these sections.
fn schema_8_5(sections: &str) -> Description {
    parse(&format!(r#"<image name="x" schemaversion="8.5">{ABOUT}{sections}</image>"#))
}

const PREFERENCES: &str = r#"<preferences><version>1.0.0</version><type image="tbz"/></preferences>"#;

fn choice(profiles: &[&str], image_type: Option<&str>, architecture: &str) -> Choice {
    Choice {
        profiles: profiles.iter().map(|&profile| profile.to_owned()).collect(),
        image_type: image_type.map(str::to_owned),
        architecture: Some(Architecture::new(architecture)),
    }
}

fn select(description: &Description, profiles: &[&str]) -> Selection {
    description.select(&choice(profiles, None, "x86_64")).expect("a selection")
}

fn packages(selection: &Selection) -> Vec<&str> {
    selection.image.packages.iter().map(|package| package.name.as_str()).collect()
}

/// Returns rule, help and position of the first error.
fn refusal(description: &Description, choice: &Choice) -> (&'static str, String, (usize, usize)) {
    let errors = description.select(choice).expect_err("a refusal");
    let error = errors.0.into_iter().next().expect("an error");
    let location = error.span.line_and_column();
    (error.rule, error.help.unwrap_or_default(), location)
}

#[test]
fn every_type_of_every_profile_is_built_once() {
    let profiles = r#"<profiles><profile name="kvm" description="K"/><profile name="big kvm" description="B"><requires profile="kvm"/></profile>
        <profile name="arm" description="A" arch="aarch64"/><profile name="empty" description="E"/></profiles>"#;
    let version = "<version>1.0.0</version>";
    let description = schema_8_5(&format!(
        r#"{profiles}<preferences>{version}<type image="tbz"/><type image="ext4"/></preferences>
        <preferences profiles="kvm"><type image="oem" filesystem="ext4"/><type image="tbz"/></preferences>
        <preferences profiles="arm"><type image="xfs"/></preferences>"#
    ));
    let builds = |description: &Description, choice: &Choice| -> Vec<String> {
        let shown = |build: TypeBuild| {
            let TypeBuild { profiles, image_type, name_part } = build;
            format!("{} {image_type} {}", profiles.join(","), name_part.unwrap_or_default())
        };
        description.every_type(choice).expect("builds").into_iter().map(shown).collect()
    };
    let all = ["tbz ", "ext4 "].map(|free| format!(" {free}"));
    let of_profiles = ["kvm oem kvm", "big kvm oem big-kvm"].map(str::to_owned);
    assert_eq!(builds(&description, &choice(&[], None, "x86_64")), [all, of_profiles].concat());
    let of_one = [" tbz ", " ext4 ", " oem kvm"].map(|build| format!("kvm{build}"));
    assert_eq!(builds(&description, &choice(&["kvm"], None, "x86_64")), of_one);
    // A profile that is imported by default is built with its types, and once.
    let imported = schema_8_5(&format!(
        r#"<profiles><profile name="a" description="A" import="true"/><profile name="b" description="B"/></profiles>
        <preferences>{version}</preferences><preferences profiles="a,b"><type image="tbz"/></preferences>"#
    ));
    assert_eq!(builds(&imported, &choice(&[], None, "x86_64")), [" tbz a", "b tbz b"]);
    assert!(description.every_type(&choice(&["other"], None, "x86_64")).is_err());
}

#[test]
fn selects_the_primary_type_or_the_requested_one() {
    let description = schema_1_4("");
    assert_eq!(select(&description, &[]).image_type.keyword(), "vmx");
    for keyword in ["ext3", "vmx", "xen"] {
        let selection = description.select(&choice(&[], Some(keyword), "x86_64")).expect("a selection");
        assert_eq!(selection.image_type.keyword(), keyword);
    }
}

#[test]
fn selects_the_first_type_without_a_primary_one() {
    let description = schema_8_5(
        r#"<preferences><version>1.0.0</version><type image="tbz"/><type image="cpio" primary="false"/></preferences>"#,
    );
    assert_eq!(select(&description, &[]).image_type, ImageType::Tbz);
}

#[test]
fn rejects_an_unknown_type_or_profile_and_lists_the_known_ones() {
    let description = schema_1_4(r#"<profiles><profile name="web" description="w"/></profiles>"#);
    let (rule, help, location) = refusal(&description, &choice(&[], Some("vxm"), "x86_64"));
    assert_eq!(rule, "unknown-image-type");
    assert!(help.contains("`vmx`") && !help.contains("`ext3`"), "{help}");
    assert_eq!(location, (2, 10));
    let (_, help, _) = refusal(&description, &choice(&[], Some("iso"), "x86_64"));
    assert!(["`ext3`", "`vmx`", "`xen`"].iter().all(|known| help.contains(known)), "{help}");
    let (rule, help, location) = refusal(&description, &choice(&["wbe"], None, "x86_64"));
    assert_eq!(rule, "unknown-profile");
    assert!(help.contains("`web`"), "{help}");
    assert_eq!(location.0, 4 - 1);
    let (rule, _, location) = refusal(&schema_1_4(""), &choice(&["web"], None, "x86_64"));
    assert_eq!(rule, "unknown-profile");
    assert_eq!(location, (1, 2));
}

#[test]
fn sections_with_profiles_apply_only_if_one_is_active() {
    let description = schema_1_4(
        r#"<profiles><profile name="a" description=""/><profile name="b" description=""/></profiles>
        <packages type="image"><package name="always"/></packages>
        <packages type="image" profiles="a , b"><package name="either"/></packages>
        <packages type="image" profiles="b"><package name="second"/></packages>"#,
    );
    assert_eq!(packages(&select(&description, &[])), ["always"]);
    assert_eq!(packages(&select(&description, &["a"])), ["always", "either"]);
    assert_eq!(packages(&select(&description, &[" b ,a"])), ["always", "either", "second"]);
}

#[test]
fn imported_profiles_are_the_default_and_required_profiles_are_added() {
    let description = schema_8_5(&format!(
        r#"<profiles>
        <profile name="a" description="" import="true"><requires profile="b"/><requires profile="d" arch="aarch64"/></profile>
        <profile name="b" description=""><requires profile="a"/><requires profile="c"/></profile>
        <profile name="c" description=""/><profile name="d" description=""/></profiles>{PREFERENCES}"#
    ));
    let names = |profiles: &[&str], architecture| {
        let selection = description.select(&choice(profiles, None, architecture)).expect("a selection");
        selection.profiles.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[], "x86_64"), ["a", "b", "c"]);
    assert_eq!(names(&[], "arm64"), ["a", "b", "d", "c"]);
    assert_eq!(names(&["c"], "x86_64"), ["c"]);
}

#[test]
fn the_first_preferences_with_a_setting_win() {
    let description = schema_8_5(
        r#"<profiles><profile name="de" description=""/></profiles>
        <preferences profiles="de"><locale>de_DE</locale><type image="cpio"/></preferences>
        <preferences arch="aarch64"><packagemanager>zypper</packagemanager></preferences>
        <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><locale>en_US</locale><type image="tbz"/>
        </preferences>"#,
    );
    assert_eq!(select(&description, &[]).settings.locale.as_deref(), Some("en_US"));
    let german = select(&description, &["de"]);
    assert_eq!(german.settings.locale.as_deref(), Some("de_DE"));
    assert_eq!(german.image_type, ImageType::Cpio);
    assert_eq!(german.package_manager, PackageManager::Apt);
    let arm = description.select(&choice(&[], None, "aarch64")).expect("a selection");
    assert_eq!(arm.package_manager, PackageManager::Zypper);
    let (_, help, _) = refusal(&description, &choice(&[], Some("cpio"), "x86_64"));
    assert_eq!(help, "a `<preferences>` of other profiles has it; the types of this build are `tbz`");
}

#[test]
fn the_default_package_manager_is_that_of_the_schema() {
    assert_eq!(select(&schema_1_4(""), &[]).package_manager, PackageManager::Smart);
    assert_eq!(select(&schema_8_5(PREFERENCES), &[]).package_manager, PackageManager::Dnf);
}

#[test]
fn ignore_removes_names_from_its_section_and_earlier_ones() {
    let description = schema_1_4(
        r#"<packages type="image"><package name="zsh"/><package name="bash"/><package name="bash"/></packages>
        <packages type="image" patternType="plusRecommended"><package name="vim"/><ignore name="zsh"/><ignore name="vim"/>
        <ignore name="cups"/></packages>
        <packages type="image"><package name="vim"/><opensusePattern name="base"/></packages>"#,
    );
    let selection = select(&description, &[]);
    assert_eq!(packages(&selection), ["bash", "vim"]);
    let ignored: Vec<&str> = selection.image.ignored.iter().map(description::PackageName::as_str).collect();
    assert_eq!(ignored, ["cups", "zsh"]);
    assert_eq!(selection.image.patterns[0].as_str(), "base");
    assert_eq!(selection.image.pattern_type, PatternType::PlusRecommended);
}

#[test]
fn architectures_match_under_all_their_names() {
    let description = schema_1_4(
        r#"<packages type="image"><package name="pc" arch="i686"/><package name="big" arch="ppc,x86_64"/>
        <package name="arm" arch="aarch64"/></packages>
        <drivers><file name="a.ko" arch="i586"/><file name="b.ko"/></drivers>"#,
    );
    for keyword in ["i386", "i586", "i686", "ix86"] {
        let selection = description.select(&choice(&[], None, keyword)).expect("a selection");
        assert_eq!(packages(&selection), ["pc"]);
        assert_eq!(selection.drivers[0].files, ["a.ko", "b.ko"]);
    }
    let selection = description.select(&choice(&[], None, "amd64")).expect("a selection");
    assert_eq!(packages(&selection), ["big"]);
    assert_eq!(selection.drivers[0].files, ["b.ko"]);
}

#[test]
fn sections_for_a_virtual_machine_apply_to_its_type() {
    let description = schema_1_4(
        r#"<packages type="xen" memory="512" disk="/dev/hda"><package name="kernel-xen"/></packages>
        <packages type="vmware" memory="256" disk="ide0"><package name="tools"/></packages>
        <packages type="boot"><package name="glibc"/></packages><packages type="delete"><package name="perl"/></packages>"#,
    );
    let by_type = |keyword| description.select(&choice(&[], Some(keyword), "x86_64")).expect("a selection");
    let vmx = by_type("vmx");
    assert_eq!(packages(&vmx), ["tools"]);
    let ImageType::Disk(disk) = &vmx.image_type else { panic!("a disk") };
    assert_eq!(disk.machine.as_ref().expect("a machine").memory, Some(256));
    let xen = by_type("xen");
    assert_eq!(packages(&xen), ["kernel-xen"]);
    let ImageType::Xen(guest) = &xen.image_type else { panic!("a guest") };
    assert_eq!(guest.machine.as_ref().expect("a machine").disk, "/dev/hda");
    let ext3 = by_type("ext3");
    assert!(packages(&ext3).is_empty());
    assert_eq!(ext3.bootstrap.packages[0].name.as_str(), "glibc");
    assert_eq!(ext3.delete[0].as_str(), "perl");
}

#[test]
fn merges_repositories_of_one_source_at_the_first_position() {
    let description = schema_1_4(
        r#"<repository type="yast2"><source path="/cds/%arch"/></repository>
        <repository type="apt-deb" distribution="one"><source path="http://example.org/debian"/></repository>
        <repository type="apt-deb" distribution="two"><source path="http://example.org/debian"/></repository>
        <repository type="rpm-md"><source path="/cds/i386"/></repository>"#,
    );
    let selection = description.select(&choice(&[], None, "i686")).expect("a selection");
    assert_eq!(selection.repositories.len(), 3);
    assert_eq!(selection.repositories[0].source, SourcePath::Local("/cds/i386".into()));
    assert_eq!(selection.repositories[0].kind, Some(RepositoryType::RpmMd));
    assert_eq!(selection.repositories[2].distribution.as_deref(), Some("two"));
    assert_eq!(select(&description, &[]).repositories.len(), 4);
}

#[test]
fn groups_are_supplementary_in_1_4_and_start_with_the_login_group_in_8_5() {
    let old = select(
        &schema_1_4(
            r#"<users group="users"><user name="tux" home="/home/tux"/></users>
            <users group="wheel"><user name="tux" pwd="h"/></users><users><user name="guest"/></users>"#,
        ),
        &[],
    );
    let groups = |selection: &Selection| {
        let names = selection.users[0].groups.iter().map(|group| match group {
            Group::Named(name, id) => (name.as_str().to_owned(), *id),
            Group::Numbered(id) => (String::new(), Some(*id)),
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(old.users.len(), 2);
    assert_eq!(groups(&old), [("users".to_owned(), None), ("wheel".to_owned(), None)]);
    assert!(old.users.iter().all(|user| !user.first_group_is_login));
    assert!(old.users[0].password.is_some());
    let new = select(
        &schema_8_5(&format!(
            r#"{PREFERENCES}<users><user name="tux" password="h" groups="tux:1000, wheel"/></users>"#
        )),
        &[],
    );
    assert_eq!(groups(&new), [("tux".to_owned(), Some(1000)), ("wheel".to_owned(), None)]);
    assert!(new.users[0].first_group_is_login);
}

#[test]
fn joins_driver_sections_of_one_kind() {
    let description = schema_1_4(
        r#"<profiles><profile name="more" description=""/></profiles>
        <drivers type="netdrivers"><file name="e1000.ko"/></drivers>
        <drivers type="usbdrivers"><file name="usb/host/*"/></drivers>
        <drivers type="netdrivers" profiles="more"><file name="tg3.ko"/><file name="e1000.ko"/></drivers>"#,
    );
    assert_eq!(select(&description, &[]).drivers[0].files, ["e1000.ko"]);
    let more = select(&description, &["more"]).drivers;
    assert_eq!(
        (more[0].kind, more[0].files.as_slice()),
        (DriverKind::Net, &["e1000.ko".into(), "tg3.ko".into()][..])
    );
    assert_eq!(more.len(), 2);
}

#[test]
fn inherited_packages_come_first_and_nothing_else_is_inherited() {
    let base = schema_1_4(
        r#"<repository type="yast2"><source path="/base"/></repository>
        <packages type="image"><package name="base"/><package name="unwanted"/></packages>"#,
    );
    let mut own =
        schema_1_4(r#"<packages type="image"><package name="own"/><ignore name="unwanted"/></packages>"#);
    own.prepend_packages(&base);
    let selection = select(&own, &[]);
    assert_eq!(packages(&selection), ["base", "own"]);
    assert!(selection.repositories.is_empty());
}

#[test]
fn rejects_unsupported_elements_only_where_they_apply() {
    let description = schema_8_5(&format!(
        r#"<profiles><profile name="box" description=""/></profiles>{PREFERENCES}
        <containers source="registry.example.org" backend="podman" profiles="box"><container name="c"/></containers>
        <packages type="bootstrap"><collectionModule name="p" enable="true" arch="ppc64"/></packages>"#
    ));
    assert!(description.select(&choice(&[], None, "x86_64")).is_ok());
    let (rule, _, location) = refusal(&description, &choice(&["box"], None, "x86_64"));
    assert_eq!(rule, description::NOT_BUILT);
    assert_eq!(location, (2, 10));
    let (rule, _, _) = refusal(&description, &choice(&[], None, "ppc64"));
    assert_eq!(rule, description::NOT_BUILT);
}

#[test]
fn compressed_is_read_in_any_case() {
    let read = |compressed: &str| {
        let description = parse(&format!(
            r#"<image name="x" schemeversion="1.4">{ABOUT}<preferences><type>ext3</type><version>1.0.0</version>
            <compressed>{compressed}</compressed></preferences></image>"#
        ));
        let selection = select(&description, &[]);
        let ImageType::Filesystem(image) = selection.image_type else { panic!("a file system") };
        image.compressed
    };
    assert_eq!(["Yes", "no", "YES", "true"].map(read), [true, false, true, true]);
}
