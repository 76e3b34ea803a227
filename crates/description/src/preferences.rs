//! The scalar settings of `<preferences>`, after profiles and architecture were applied.

/// What a build takes from `<preferences>` besides types, size and package manager.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Settings {
    /// `rpm-check-signatures`; none when not said.
    pub check_signatures: Option<bool>,
    /// `rpm-force`.
    pub rpm_force: bool,
    /// `rpm-excludedocs`.
    pub exclude_docs: bool,
    /// `keytable`: a console keymap name.
    pub keytable: Option<String>,
    /// `timezone`: a path below `/usr/share/zoneinfo`.
    pub timezone: Option<String>,
    /// `locale`: e.g. `en_US` or `de_DE.UTF-8`; today's keywords allow a comma list, the first is the system's.
    pub locale: Option<String>,
    /// `defaultdestination`: used when `--destdir` is missing.
    pub default_destination: Option<String>,
    /// `defaultroot`: used when `--root` is missing.
    pub default_root: Option<String>,
    /// `compressed`: whether the output file is compressed.
    pub compressed: bool,
    /// `hostname`-like display name, today's `image/@displayname`.
    pub display_name: Option<String>,
}
