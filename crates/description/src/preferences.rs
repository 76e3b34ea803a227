//! The scalar settings of `<preferences>`, after profiles and architecture were applied.

/// The settings of `<preferences>` other than types, size and package manager.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Settings {
    /// `rpm-check-signatures`; none if not specified.
    pub check_signatures: Option<bool>,
    /// `rpm-excludedocs`.
    pub exclude_docs: bool,
    /// `rpm-force`.
    pub force: bool,
    /// `rpm-locale-filtering`.
    pub filter_locales: bool,
    /// `release-version`: the release of the distribution, for `$releasever` in the sources of RPM repositories.
    pub release_version: Option<String>,
    /// `keytable`: a console keymap name.
    pub keytable: Option<String>,
    /// `timezone`: a path below `/usr/share/zoneinfo`.
    pub timezone: Option<String>,
    /// `locale`: for example `en_US` or `de_DE.UTF-8`; today's schema allows a comma-separated list, the first is the system's.
    pub locale: Option<String>,
    /// `defaultdestination`: used without `--destdir`.
    pub default_destination: Option<String>,
    /// `defaultroot`: used without `--root`.
    pub default_root: Option<String>,
    /// `compressed`: whether the output file is compressed.
    pub compressed: bool,
    /// `hostname`-like display name, today's `image/@displayname`.
    pub display_name: Option<String>,
    /// `image/@id`, the content of `/etc/ImageID`.
    pub image_id: Option<String>,
}
