//! Console keymaps in the terms of X and console-setup: layout and variant of XKB.

/// Keymaps whose name is not that of their layout, as in the table of systemd-localed (`kbd-model-map`): keymap, layout,
/// variant.
const KEYMAPS: [(&str, &str, &str); 58] = [
    ("be-latin1", "be", ""),
    ("bg_bds-utf8", "bg", ""),
    ("bg_pho-utf8", "bg", "phonetic"),
    ("br-abnt2", "br", ""),
    ("by", "by", ""),
    ("cf", "ca", ""),
    ("croat", "hr", ""),
    ("cz-lat2", "cz", "qwerty"),
    ("cz-us-qwertz", "cz", ""),
    ("de-latin1", "de", ""),
    ("de-latin1-nodeadkeys", "de", "nodeadkeys"),
    ("de_CH-latin1", "ch", ""),
    ("dk-latin1", "dk", ""),
    ("dvorak", "us", "dvorak"),
    ("es-dvorak", "es", "dvorak"),
    ("et", "ee", ""),
    ("et-nodeadkeys", "ee", "nodeadkeys"),
    ("fa", "ir", ""),
    ("fr-bepo", "fr", "bepo"),
    ("fr-latin1", "fr", ""),
    ("fr-latin9", "fr", "latin9"),
    ("fr-pc", "fr", ""),
    ("fr_CH", "ch", "fr"),
    ("fr_CH-latin1", "ch", "fr"),
    ("gr-pc", "gr", ""),
    ("hu101", "hu", "qwerty"),
    ("ie", "ie", ""),
    ("is-latin1", "is", ""),
    ("it-ibm", "it", ""),
    ("it2", "it", ""),
    ("jp106", "jp", ""),
    ("kazakh", "kz", ""),
    ("khmer", "kh", ""),
    ("ko", "kr", ""),
    ("la-latin1", "latam", ""),
    ("lt.baltic", "lt", ""),
    ("mk-utf", "mk", ""),
    ("no-latin1", "no", ""),
    ("pl2", "pl", ""),
    ("pt-latin1", "pt", ""),
    ("pt-latin9", "pt", ""),
    ("ro-std", "ro", "std"),
    ("sg", "ch", "de_nodeadkeys"),
    ("sg-latin1", "ch", "de_nodeadkeys"),
    ("sk-qwerty", "sk", "qwerty"),
    ("sk-qwertz", "sk", ""),
    ("slovene", "si", ""),
    ("sr-cy", "rs", ""),
    ("sr-latin", "rs", "latin"),
    ("sv", "se", ""),
    ("sv-latin1", "se", ""),
    ("tj_alt-utf8", "tj", ""),
    ("tralt", "tr", ""),
    ("trq", "tr", ""),
    ("ua-utf", "ua", ""),
    ("uk", "gb", ""),
    ("us-acentos", "us", "intl"),
    ("us-intl", "us", "intl"),
];

/// Returns layout and variant for a keymap. One that is not in the table begins with the layout, such as
/// `de-latin1-nodeadkeys`.
pub(super) fn layout(keymap: &str) -> (&str, &str) {
    if let Some((_, layout, variant)) = KEYMAPS.iter().find(|(known, ..)| *known == keymap) {
        return (layout, variant);
    }
    match keymap.split_once('-') {
        Some((layout, rest)) if rest.contains("nodeadkeys") => (layout, "nodeadkeys"),
        Some((layout, _)) => (layout, ""),
        None => (keymap, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keymaps_become_layouts_of_x() {
        let expected = [
            ("uk", "gb", ""),
            ("sv-latin1", "se", ""),
            ("jp106", "jp", ""),
            ("fr_CH", "ch", "fr"),
            ("de", "de", ""),
            ("de-latin1-nodeadkeys", "de", "nodeadkeys"),
            ("fr_CH-latin1", "ch", "fr"),
            ("us", "us", ""),
            ("es-cp850", "es", ""),
        ];
        for (keymap, name, variant) in expected {
            assert_eq!(layout(keymap), (name, variant), "{keymap}");
        }
        assert!(KEYMAPS.is_sorted(), "the table is sorted");
    }
}
