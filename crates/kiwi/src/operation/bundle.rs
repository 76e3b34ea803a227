//! `kiwi result bundle`: copies the results under names for a release, compressed and with checksums.
//!
//! ```text
//! kiwi.result.json -> plan: a new name for every file -> in parallel, each verified by its digest and copied or compressed
//!   with xz -> in order, each renamed, and its .sha256 beside it
//! ```

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use liblzma::stream::{Check, MtStreamBuilder};
use liblzma::write::XzEncoder;
use ondisk::digest::{Sha256, Sha512};

use super::outcome::Outcome;
use super::{list_results, prepare};
use crate::context::Context;
use crate::failure::fail;
use crate::host::{Host, RunningStage, StageTask};
use crate::parallel;
use crate::result_record::{self, BuiltFile, BuiltImage};
use crate::runtime_configuration::{Sum, XzOptions};

/// The results and the options of the bundle.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory of the images.
    pub target_dir: PathBuf,
    /// Directory of the bundle; created if it does not exist.
    pub bundle_dir: PathBuf,
    /// Identifier of the release, part of the names.
    pub id: String,
    /// `--bundle-format`; `None`: the format of the description, else `%N.%A-%v-%I`.
    pub name_format: Option<String>,
    /// Whether raw images are compressed.
    pub compress: bool,
}

/// One file of the bundle.
#[derive(Debug, PartialEq, Eq)]
struct Bundled<'a> {
    file: &'a BuiltFile,
    /// Where it is, relative to the record.
    source: PathBuf,
    name: String,
    pack: bool,
}

/// Writes the bundle; a file gets its final name when it is complete.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let record = list_results::read(&request.target_dir)?;
    let configuration = context.configuration()?;
    let compress = request.compress && configuration.compress_bundle.unwrap_or(true);
    let plan = plan(&record.images, request, compress)?;
    let directory = &request.bundle_dir;
    host.create_directories(directory).with_context(|| format!("creating {}", directory.display()))?;
    let _lock = prepare::lock_results(directory, "bundle", host)?;
    let work = host
        .work_directory(directory)
        .with_context(|| format!("creating a work directory in {}", directory.display()))?;
    let ending = match configuration.sum {
        Sum::Sha256 => "sha256",
        Sum::Sha512 => "sha512",
    };
    let packed = plan.iter().filter(|bundled| bundled.pack).count();
    let xz = XzOptions { threads: Some(threads(configuration.xz.threads, packed, host)), ..configuration.xz };
    let make = |(): &mut (), bundled: &Bundled<'_>| {
        host.check_interrupt()?;
        let stage = host.stage(StageTask::Bundle, format!("Bundling {}", bundled.name));
        let source = request.target_dir.join(&bundled.source);
        if source.exists() && !source.is_file() {
            fail!(File, "{} is not a regular file", source.display());
        }
        let unfinished = work.path().join(&bundled.name);
        copy(&source, &unfinished, bundled, xz, &stage, host)?;
        let sum = match configuration.sum {
            Sum::Sha256 => result_record::digest::<Sha256>(&unfinished, host)?.1,
            Sum::Sha512 => result_record::digest::<Sha512>(&unfinished, host)?.1,
        };
        stage.finish();
        Ok(sum)
    };
    let publish = |bundled: &Bundled<'_>, sum: String| {
        let path = directory.join(&bundled.name);
        let sum_name = format!("{}.{ending}", bundled.name);
        let unfinished_sum = work.path().join(&sum_name);
        host.write_file(&unfinished_sum, format!("{sum}  {}\n", bundled.name))
            .and_then(|()| host.rename(&work.path().join(&bundled.name), &path))
            .and_then(|()| host.rename(&unfinished_sum, &directory.join(&sum_name)))
            .with_context(|| format!("writing {}", path.display()))?;
        let size = path.metadata().with_context(|| format!("reading {}", path.display()))?.len();
        host.report_artifact(bundled.file.role.facts(&path, size, Some((ending, sum))));
        Ok(())
    };
    parallel::for_each(&plan, vec![(); host.processors().min(plan.len())], make, publish)?;
    work.close().context("removing the work directory")?;
    Ok(Outcome::Artifacts { artifacts: host.artifacts() })
}

/// Returns how many threads compress each of `packed` files: those that the configuration specifies, else all processors, shared
/// by the files that are compressed at the same time. The result does not depend on it.
fn threads(asked: Option<u32>, packed: usize, host: &Host) -> u32 {
    let shared = host.processors().div_ceil(packed.clamp(1, host.processors()));
    asked.unwrap_or_else(|| u32::try_from(shared).unwrap_or(1))
}

/// Returns the new name of every file.
fn plan<'a>(images: &'a [BuiltImage], request: &Request, compress: bool) -> Result<Vec<Bundled<'a>>> {
    if request.id.is_empty() || request.id.contains('/') {
        fail!(Usage, "the id '{}' cannot be part of a file name", request.id);
    }
    let mut plan = Vec::new();
    for image in images {
        let format = request.name_format.as_deref().or(image.bundle_format.as_deref());
        let base = base_name(format.unwrap_or("%N.%A-%v-%I"), image, &request.id)?;
        let old_base = format!("{}.{}-{}", image.name, image.architecture, image.version);
        for file in &image.files {
            let mut name = match file.file.strip_prefix(&old_base) {
                Some(rest) => format!("{base}{rest}"),
                None => format!("{base}.{}", file.file),
            };
            let pack = file.compress && compress;
            if pack {
                name.push_str(".xz");
            }
            let source = image.path_of(file);
            // Types of one description share their package list.
            let same = |other: &Bundled<'_>| {
                let digest = file.known_digest();
                other.source == source || (digest.is_some() && digest == other.file.known_digest())
            };
            match plan.iter().find(|other: &&Bundled<'_>| other.name == name) {
                None => plan.push(Bundled { file, source, name, pack }),
                Some(other) if same(other) => {}
                Some(_) => fail!(
                    Usage,
                    "two files would have the name {name}; distinguish them with %T in --bundle-format"
                ),
            }
        }
    }
    Ok(plan)
}

/// Returns what replaces `NAME.ARCH-VERSION` in the names of an image's files.
fn base_name(format: &str, image: &BuiltImage, id: &str) -> Result<String> {
    let part = |index: usize| image.version.split('.').nth(index).unwrap_or_default().to_owned();
    let mut name = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            name.push(letter);
            continue;
        }
        match letters.next() {
            Some('N') => name.push_str(&image.name),
            Some('P') => name.push_str(&image.profiles.join("_")),
            Some('A') => name.push_str(&image.architecture),
            Some('I') => name.push_str(id),
            Some('T') => name.push_str(&image.image_type),
            Some('M') => name.push_str(&part(0)),
            Some('m') => name.push_str(&part(1)),
            Some('p') => name.push_str(&part(2)),
            Some('v') => name.push_str(&image.version),
            other => fail!(
                Usage,
                "the name format {format} has no %{}; known are %N name, %P profiles, %A machine, %I id, %T type, \
                 %v version, and its parts %M, %m, %p",
                other.map(String::from).unwrap_or_default()
            ),
        }
    }
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        fail!(Usage, "the name format {format} gives '{name}', which is not a valid file name");
    }
    Ok(name)
}

/// Copies or compresses a file after checking that its digest is that of the build.
fn copy(
    source: &Path,
    target: &Path,
    bundled: &Bundled<'_>,
    xz: XzOptions,
    stage: &RunningStage<'_>,
    host: &Host,
) -> Result<()> {
    if !bundled.file.is_intact(source, host)? {
        fail!(
            Damaged,
            "{} was changed after the build: its digest differs from the record; build it again",
            source.display()
        );
    }
    let what = || format!("writing {}", target.display());
    if !bundled.pack {
        host.copy_file(source, target).with_context(what)?;
        return Ok(());
    }
    let stream = MtStreamBuilder::new()
        .preset(xz.preset)
        .threads(xz.threads.unwrap_or(1))
        .check(Check::Crc64)
        .encoder();
    let target = host.create_file(target).with_context(what)?;
    let mut encoder = XzEncoder::new_stream(target, stream.with_context(what)?);
    let mut file = File::open(source).with_context(|| format!("reading {}", source.display()))?;
    let mut buffer = vec![0; 1 << 20];
    let meter = stage.meter(bundled.file.size);
    loop {
        host.check_interrupt()?;
        match file.read(&mut buffer).with_context(|| format!("reading {}", source.display()))? {
            0 => break,
            count => {
                encoder.write_all(&buffer[..count]).with_context(what)?;
                meter.add(count as u64);
            }
        }
    }
    encoder.finish().with_context(what)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Role;
    use crate::failure::{Failure, Kind};

    fn image(image_type: &str, files: &[(Role, &str, bool)]) -> BuiltImage {
        let file = |(role, file, compress): &(Role, &str, bool)| BuiltFile {
            role: *role,
            file: (*file).to_owned(),
            size: 1,
            sha256: None,
            sha256_sparse: None,
            compress: *compress,
        };
        BuiltImage {
            name: "n".to_owned(),
            version: "1.2.3".to_owned(),
            architecture: "x86_64".to_owned(),
            image_type: image_type.to_owned(),
            directory: None,
            profiles: vec!["a".to_owned(), "b".to_owned()],
            bundle_format: None,
            files: files.iter().map(file).collect(),
            origins: crate::origins::Origins::default(),
        }
    }

    fn request(name_format: Option<&str>, compress: bool) -> Request {
        Request {
            target_dir: PathBuf::new(),
            bundle_dir: PathBuf::new(),
            id: "Build7".to_owned(),
            name_format: name_format.map(str::to_owned),
            compress,
        }
    }

    fn names(images: &[BuiltImage], request: &Request) -> Result<Vec<String>, Failure> {
        match plan(images, request, request.compress) {
            Ok(plan) => Ok(plan.into_iter().map(|bundled| bundled.name).collect()),
            Err(error) => Err(error.downcast().unwrap()),
        }
    }

    #[test]
    fn names_have_the_id_and_raw_images_are_compressed() {
        let list = (Role::PackageList, "n.x86_64-1.2.3.packages", false);
        let images = [
            image("ext4", &[list, (Role::Image, "n.x86_64-1.2.3", true)]),
            image("oem", &[list, (Role::Image, "n.x86_64-1.2.3.qcow2", false)]),
        ];
        let expected =
            ["n.x86_64-1.2.3-Build7.packages", "n.x86_64-1.2.3-Build7.xz", "n.x86_64-1.2.3-Build7.qcow2"];
        assert_eq!(names(&images, &request(None, true)).unwrap(), expected);
        assert_eq!(names(&images, &request(None, false)).unwrap()[1], "n.x86_64-1.2.3-Build7");
        let named = [BuiltImage { bundle_format: Some("%N-%v".to_owned()), ..images[0].clone() }];
        assert_eq!(names(&named, &request(None, false)).unwrap()[1], "n-1.2.3");
        assert_eq!(names(&named, &request(Some("%N"), false)).unwrap()[1], "n");
        let formatted = names(&images[1..], &request(Some("%N_%P-%T-%M.%m.%p-%I"), true)).unwrap();
        assert_eq!(formatted[1], "n_a_b-oem-1.2.3-Build7.qcow2");
    }

    #[test]
    fn rejects_duplicate_and_invalid_names() {
        let images = [
            image("ext4", &[(Role::Image, "n.x86_64-1.2.3", false)]),
            image("xfs", &[(Role::Image, "m", false), (Role::Image, "n.x86_64-1.2.3.m", false)]),
        ];
        for (format, named) in [(None, "n.x86_64-1.2.3-Build7.m"), (Some("%x"), "%x"), (Some("../%N"), "..")]
        {
            let failure = names(&images, &request(format, true)).unwrap_err();
            assert_eq!(failure.kind, Kind::Usage, "{failure}");
            assert!(failure.message.contains(named), "{failure}");
        }
    }
}
