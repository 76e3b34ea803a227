//! The kinds of work that a run consists of.

use serde::Serialize;

/// What a stage of a run does. The keyword is part of the protocol in `docs/json.md` and does not change with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageTask {
    /// Reads the indices of repositories.
    ReadRepositories,
    /// Downloads packages or takes locked ones from the cache.
    FetchPackages,
    /// Unpacks packages into the root tree.
    UnpackPackages,
    /// Runs the configuration steps of unpacked packages.
    ConfigurePackages,
    /// Lets the package manager unpack and configure packages.
    InstallPackages,
    /// Replaces packages by newer ones.
    UpgradePackages,
    /// Applies overlay, users and settings to the root tree.
    ConfigureTree,
    /// Runs a script of the description.
    RunScript,
    /// Removes packages and temporary files from the root tree.
    FinishTree,
    /// Makes a boot image from the root tree.
    MakeBootImage,
    /// Writes a file system.
    WriteFilesystem,
    /// Writes a tar or cpio archive.
    WriteArchive,
    /// Writes a container image.
    WriteContainer,
    /// Writes the image of a CD or stick.
    WriteMedium,
    /// Makes and installs a boot loader.
    WriteBootloader,
    /// Converts a raw disk to another format.
    ConvertDisk,
    /// Compresses a file.
    Compress,
    /// Computes the digests of a file.
    ComputeDigests,
    /// Verifies the system of an installation or stick.
    CheckSystem,
    /// Unpacks a compressed system.
    UnpackSystem,
    /// Writes a stick.
    WriteStick,
    /// Reads a written stick and compares it.
    VerifyStick,
    /// Restores a stage from the cache.
    Restore,
    /// Saves a stage in the cache.
    Save,
    /// Writes `kiwi.result.json`.
    RecordResult,
    /// Copies a file into a bundle.
    Bundle,
    /// Copies an image into a directory for network boot.
    Publish,
    /// Boots an image, or checks the booted system.
    BootTest,
}

impl StageTask {
    /// All of them, in the order of the handbook.
    pub const ALL: [Self; 28] = [
        Self::ReadRepositories,
        Self::FetchPackages,
        Self::UnpackPackages,
        Self::ConfigurePackages,
        Self::InstallPackages,
        Self::UpgradePackages,
        Self::ConfigureTree,
        Self::RunScript,
        Self::FinishTree,
        Self::MakeBootImage,
        Self::WriteFilesystem,
        Self::WriteArchive,
        Self::WriteContainer,
        Self::WriteMedium,
        Self::WriteBootloader,
        Self::ConvertDisk,
        Self::Compress,
        Self::ComputeDigests,
        Self::CheckSystem,
        Self::UnpackSystem,
        Self::WriteStick,
        Self::VerifyStick,
        Self::Restore,
        Self::Save,
        Self::RecordResult,
        Self::Bundle,
        Self::Publish,
        Self::BootTest,
    ];
}
