//! The table of which module may use which. A new crate or module needs a row.

/// The rules of a workspace.
pub(super) struct Rules {
    /// The most lines a file may have without its tests, unless its head gives a reason that contains "N lines".
    pub(super) max_lines: usize,
    /// Crate -> the crates it may use.
    pub(super) crates: &'static [(&'static str, &'static str)],
    /// Crate -> its top-level modules -> the modules of the crate that each may use.
    pub(super) modules: &'static [(&'static str, &'static [(&'static str, &'static str)])],
}

impl Rules {
    /// Returns every row: crate, module, what it may use.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        self.modules
            .iter()
            .flat_map(|(name, rows)| rows.iter().map(move |(module, row)| (*name, *module, *row)))
    }

    /// Returns what a module may use.
    pub(super) fn row(&self, name: &str, module: &str) -> Option<&'static str> {
        self.rows().find(|row| row.0 == name && row.1 == module).map(|row| row.2)
    }
}

/// The rules of this workspace. The root of a crate (`lib.rs`, or `main.rs` without one) needs no row.
pub(super) const RULES: Rules = Rules {
    max_lines: 400,
    crates: &[
        ("bootconfig", "ondisk"),
        ("description", "ondisk"),
        ("kiwi", "bootconfig description ondisk"),
        ("linuxrc", "bootconfig ondisk"),
        ("ondisk", ""),
    ],
    modules: &[
        (
            "bootconfig",
            &[
                ("checksum", ""),
                ("chunk_index", ""),
                ("client", "deployed install_choice live parameter plain_text"),
                ("combined", ""),
                ("config", "kind plain_text storage"),
                ("deployed", "plain_text storage"),
                ("image_name", ""),
                ("install", "client deployed install_choice partition"),
                ("install_choice", ""),
                ("install_source", "client network_parameter parameter"),
                ("kind", ""),
                ("live", "image_name parameter"),
                ("medium", ""),
                ("menu_colors", ""),
                ("network_parameter", "client parameter"),
                ("parameter", "partition"),
                ("partition", ""),
                ("plain_text", ""),
                ("signed_path", ""),
                ("storage", ""),
            ],
        ),
        (
            "description",
            &[
                ("architecture", ""),
                ("bootloader", ""),
                ("check", "diagnostic document format schema schema_version suggest"),
                (
                    "convert",
                    "check description diagnostic document format image_type include mapping schema \
                     schema_version upgrade",
                ),
                (
                    "decode",
                    "architecture bootloader deploy description diagnostic disk_format document drivers \
                     image_type names oem package_manager packages profile repository rules schema \
                     schema_version selection size split suggest unsupported upgrade users without_effect",
                ),
                ("deploy", "architecture"),
                ("deprecated", "diagnostic document schema schema_version"),
                (
                    "description",
                    "architecture deploy diagnostic drivers image_type names package_manager packages \
                     profile repository schema_version selection split unsupported users",
                ),
                ("diagnostic", "schema_version"),
                ("disk_format", ""),
                ("document", "diagnostic"),
                ("drivers", ""),
                ("encoding", ""),
                ("format", "diagnostic document mapping xml"),
                ("image_type", "bootloader disk_format oem schema_version size split suggest"),
                (
                    "include",
                    "check decode deprecated diagnostic document format schema schema_version upgrade",
                ),
                ("load", "decode description diagnostic include upgrade"),
                ("mapping", "diagnostic document schema schema_version"),
                ("names", ""),
                ("oem", ""),
                ("package_list", "architecture description image_type names packages"),
                ("package_manager", "repository"),
                ("packages", "diagnostic names"),
                ("preferences", ""),
                ("profile", "architecture names"),
                ("redact", "description diagnostic document format"),
                ("repository", "architecture diagnostic"),
                ("rules", "diagnostic disk_format document image_type schema schema_version split suggest"),
                ("schema", "document image_type names schema_version suggest"),
                ("schema_version", ""),
                (
                    "select",
                    "architecture deploy description diagnostic disk_format drivers image_type names \
                     package_list package_manager preferences repository schema_version selection suggest \
                     unsupported users",
                ),
                ("select_profiles", "architecture description diagnostic names selection suggest"),
                (
                    "selection",
                    "architecture deploy drivers image_type names package_manager packages preferences \
                     repository users",
                ),
                ("size", ""),
                ("split", ""),
                ("suggest", ""),
                ("unsupported", "architecture diagnostic document schema schema_version"),
                ("upgrade", "diagnostic document image_type schema schema_version"),
                ("users", "names"),
                (
                    "vocabulary",
                    "check description diagnostic image_type mapping schema schema_version selection unsupported",
                ),
                ("without_effect", "diagnostic document image_type schema"),
                ("xml", "diagnostic document"),
            ],
        ),
        (
            "kiwi",
            &[
                ("artifact", "gzip host workspace"),
                ("bootloader", "distribution failure filesystem host root_tree workspace"),
                ("cache", "checked host stage"),
                ("checked", ""),
                ("chunks", ""),
                (
                    "cli",
                    "context debugging diagnostic error failure host identity operation sbom source timings",
                ),
                ("compression", ""),
                ("context", "cache debugging host runtime_configuration share source"),
                (
                    "create",
                    "artifact bootloader compression disk disk_format failure file_archive filesystem gzip host identity kernel \
                     media parallel root_tree script tree_archive workspace",
                ),
                ("deb822", ""),
                ("debugging", "failure host root_tree script"),
                ("diagnostic", ""),
                ("disk", "failure identity"),
                ("disk_format", "host parallel"),
                ("distribution", "deb822 failure root_tree"),
                ("error", "failure host script"),
                ("failure", ""),
                ("file_archive", "gzip host"),
                ("filesystem", "failure host identity initrd root_tree tree_archive workspace"),
                (
                    "fuzzing",
                    "distribution package_manager record repository result_record runtime_configuration sbom",
                ),
                ("gzip", ""),
                ("host", ""),
                ("identity", ""),
                ("initrd", "failure gzip host identity kernel root_tree"),
                ("kernel", "distribution failure root_tree"),
                ("lock", "failure package_form"),
                ("main", "cli"),
                (
                    "media",
                    "artifact bootloader disk failure filesystem gzip host identity root_tree workspace",
                ),
                (
                    "operation",
                    "artifact bootloader cache checked chunks context create debugging diagnostic disk_format error failure file_archive filesystem host identity initrd \
                     kernel lock media origins package_manager parallel password prepare pxe record result_record root_tree \
                     runtime_configuration sbom script share signature source stage workspace",
                ),
                ("origins", "root_tree stage"),
                ("package_form", ""),
                (
                    "package_manager",
                    "cache compression context deb822 distribution failure host lock package_form parallel repository \
                     root_tree stage",
                ),
                ("parallel", ""),
                ("password", ""),
                (
                    "prepare",
                    "cache compression context debugging distribution failure host lock origins package_manager password record repository root_tree \
                     script source stage tree_archive",
                ),
                ("pxe", "bootloader checked failure host workspace"),
                ("record", "checked failure identity root_tree"),
                ("repository", "distribution failure host package_form runtime_configuration source"),
                ("result_record", "artifact checked failure host origins workspace"),
                ("root_tree", "failure host"),
                ("runtime_configuration", "checked failure host"),
                ("sbom", "deb822 host identity lock package_manager root_tree"),
                ("script", "distribution failure host root_tree"),
                ("share", "failure host"),
                ("signature", "failure host"),
                ("source", "failure"),
                ("stage", ""),
                ("timings", "host"),
                ("tree_archive", "host parallel root_tree"),
                ("workspace", "host root_tree"),
            ],
        ),
        (
            "linuxrc",
            &[
                ("boot", "boot_failure boot_plan console kind machine shutdown"),
                ("boot_failure", ""),
                ("boot_plan", "boot_failure device machine"),
                ("check", "boot_failure console device machine"),
                ("console", "machine"),
                (
                    "deploy",
                    "boot_failure boot_plan check console device download enrol grow loop_device machine modules \
                     net program remote_root root sys union verified",
                ),
                ("device", "machine"),
                ("download", "console stream"),
                ("early_mounts", "boot_failure boot_plan check console device machine modules root"),
                ("enrol", "boot_failure console install machine modules net"),
                ("fstab", ""),
                ("grow", "console device machine root sys"),
                ("install", "boot_failure console device machine medium modules shutdown stream sys"),
                (
                    "kind",
                    "boot_failure boot_plan check console deploy device early_mounts enrol grow install live machine \
                     medium modules persistent remote_install repartition root shutdown swap switch_root union",
                ),
                (
                    "live",
                    "boot_failure boot_plan console loop_device machine medium modules stream sys union",
                ),
                ("loop_device", "machine sys"),
                ("machine", "boot_failure"),
                ("main", "boot"),
                ("medium", "boot_failure boot_plan console device machine modules sys"),
                ("modules", "boot_failure console machine sys"),
                ("net", "sys"),
                ("persistent", "check console device live machine medium modules sys"),
                ("program", "console machine"),
                (
                    "remote_install",
                    "boot_failure boot_plan console deploy download enrol install machine modules net shutdown sys",
                ),
                ("remote_root", ""),
                ("repartition", "console device fstab grow machine program sys"),
                ("root", "boot_failure boot_plan console device machine modules sys"),
                ("shutdown", "boot_failure console machine modules"),
                ("stream", ""),
                ("swap", "console fstab machine"),
                ("switch_root", "boot_failure boot_plan console machine"),
                ("sys", ""),
                ("union", "boot_failure boot_plan check console device grow machine modules root"),
                ("verified", ""),
            ],
        ),
        (
            "ondisk",
            &[
                ("command_line", ""),
                ("digest", ""),
                ("filesystem", "size"),
                ("modules", ""),
                ("partition_table", "size uuid"),
                ("size", ""),
                ("superblock", "filesystem size uuid"),
                ("uuid", ""),
            ],
        ),
    ],
};
