//! The colours of boot menus, the same in every boot loader: light grey on black, the title white, the selected entry white on
//! blue. A serial console without colours shows the selected entry inverse or with a mark.

/// Returns the lines of GRUB's `grub.cfg`.
pub fn of_grub() -> String {
    ["color", "menu_color"]
        .map(|kind| format!("set {kind}_normal=light-gray/black\nset {kind}_highlight=white/blue\n"))
        .concat()
}

/// Returns the lines of ISOLINUX's `isolinux.cfg`. The numbers are those of ANSI's sequence for colours.
pub fn of_isolinux() -> String {
    const TEXT: &str = "0;37;40";
    const STRONG: &str = "1;37;40";
    const SELECTED: &str = "1;37;44";
    [
        ("screen", TEXT),
        ("border", TEXT),
        ("title", STRONG),
        ("unsel", TEXT),
        ("hotkey", TEXT),
        ("sel", SELECTED),
        ("hotsel", SELECTED),
        ("scrollbar", TEXT),
        ("tabmsg", TEXT),
        ("timeout_msg", TEXT),
        ("timeout", STRONG),
        ("cmdmark", STRONG),
        ("cmdline", TEXT),
        ("help", TEXT),
    ]
    .map(|(part, color)| format!("menu color {part} {color}\n"))
    .concat()
}
