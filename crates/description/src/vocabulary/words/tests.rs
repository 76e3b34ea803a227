use super::*;

#[test]
fn the_smallest_description_of_every_type_is_right() {
    for image_type in types() {
        let text = Sample::description(image_type).to_xml();
        assert_eq!(judge(&text, image_type), Ok(0), "{text}");
    }
}

#[test]
fn what_is_done_with_a_word_depends_on_the_image_type() {
    let support = |name: &str, image_type: &str| {
        let all = words();
        let word = all.iter().find(|word| word.name().ends_with(name)).expect("a word");
        word.support(image_type)
    };
    let cases = [
        ("type/@format", "oem", Support::Built),
        ("type/@format", "iso", Support::Misfit),
        ("type/@squashfscompression", "iso", Support::Built),
        ("type/@squashfscompression", "oem", Support::Refused),
        ("machine/@ovftype", "oem", Support::Built),
        ("type/@mdraid", "oem", Support::Refused),
        ("type/@boot", "split", Support::Warned),
        ("type/@boot", "vmx", Support::Built),
        ("type/size", "ext4", Support::Built),
        ("deploy/@server", "oem", Support::Warned),
        ("deploy/@server", "pxe", Support::Built),
        ("deploy/@server", "iso", Support::Warned),
        ("oemconfig/oem-reboot", "oem", Support::Warned),
        ("repository/@prefer-license", "tbz", Support::Warned),
    ];
    for (name, image_type, expected) in cases {
        assert_eq!(support(name, image_type), expected, "{name} of {image_type}");
    }
}
