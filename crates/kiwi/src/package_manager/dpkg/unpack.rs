//! Unpacks the files of many packages side by side, straight to where they belong.
//!
//! ```text
//! threads take packages, the largest first -> each entry: rules -> claim -> place
//! then, one after the other: paths with two claims, times of empty folders
//! ```
//!
//! Conffiles are left as `NAME.dpkg-new`; dpkg puts them in place when it configures the package.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use super::claims::{Claim, Claims, Folder, Index, merged};
use super::place::{Made, Placer};
use super::rules::Rules;
use crate::host::Host;
use crate::package_manager::deb::{Deb, Entry, Kind, entries};
use crate::root_tree::RootTree;

/// Unpacks the packages of one installation, wave by wave.
pub(in super::super) struct Unpacker<'a> {
    tree: &'a RootTree,
    /// In the order of installation.
    packages: Vec<Deb>,
    claims: Mutex<Claims>,
    /// Paths of each package as it has them, in its order.
    lists: Vec<Vec<PathBuf>>,
    /// Folders of the first wave have the time of the build: dpkg would find them made by whatever made it run.
    first_wave: bool,
    /// Packages that lost a path to another one since their lists were written.
    trimmed: BTreeSet<Index>,
}

impl<'a> Unpacker<'a> {
    /// For a tree that is new.
    pub(in super::super) fn new(tree: &'a RootTree) -> Self {
        Self {
            tree,
            packages: Vec::new(),
            claims: Mutex::default(),
            lists: Vec::new(),
            first_wave: true,
            trimmed: BTreeSet::new(),
        }
    }

    /// For a tree into which `packages` were unpacked before: `noted` is what `note` said then.
    pub(in super::super) fn resume(tree: &'a RootTree, packages: Vec<Deb>, noted: &str) -> Result<Self> {
        let (claims, lists): (Claims, Vec<_>) =
            serde_json::from_str(noted).context("reading what was noted of unpacked packages")?;
        Ok(Self { packages, claims: Mutex::new(claims), lists, first_wave: false, ..Self::new(tree) })
    }

    /// Everything that unpacking more packages needs to know of those that are there. Only what Unicode has a form for
    /// can be noted.
    pub(in super::super) fn note(&self) -> Result<String> {
        serde_json::to_string(&(&*self.claims(), &self.lists)).context("noting what was unpacked")
    }

    /// Takes in packages that are installed after those it has.
    pub(in super::super) fn add(&mut self, packages: Vec<Deb>) -> Vec<Index> {
        let first = self.packages.len();
        self.packages.extend(packages);
        self.lists.resize(self.packages.len(), Vec::new());
        (first..self.packages.len()).collect()
    }

    /// All packages.
    pub(in super::super) fn packages(&self) -> &[Deb] {
        &self.packages
    }

    /// Some of them.
    pub(in super::super) fn chosen(&self, wave: &[Index]) -> impl Iterator<Item = &Deb> {
        wave.iter().map(|index| &self.packages[*index])
    }

    /// The paths of a package, for dpkg's database; one that another package took over is not among them.
    pub(super) fn list(&self, index: Index) -> &[PathBuf] {
        &self.lists[index]
    }

    /// Packages whose lists have to be written again.
    pub(super) fn trimmed(&mut self) -> BTreeSet<Index> {
        std::mem::take(&mut self.trimmed)
    }

    /// Unpacks some of the packages. `open` gives the data archive of one.
    pub(in super::super) fn unpack(
        &mut self,
        wave: &[Index],
        rules: &Rules,
        open: impl Fn(&Deb) -> Result<Box<dyn Read>> + Sync,
        host: &Host,
    ) -> Result<()> {
        let mut queue = wave.to_vec();
        queue.sort_by_key(|index| (std::cmp::Reverse(self.packages[*index].data_size()), *index));
        let (next, this) = (AtomicUsize::new(0), &*self);
        let work = || -> Result<Vec<(Index, Vec<PathBuf>)>> {
            let (mut placer, mut lists) = (Placer::new(this.tree), Vec::new());
            while let Some(index) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                host.check_interrupt()?;
                let unpacked = this.package(*index, rules, &open, None, &mut placer);
                if unpacked.is_err() {
                    next.store(queue.len(), Ordering::Relaxed);
                }
                lists.push((*index, unpacked?));
            }
            Ok(lists)
        };
        let threads = host.processors().min(wave.len());
        let results: Vec<_> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        for result in results {
            let Ok(lists) = result else { bail!("a thread that unpacked packages ended unexpectedly") };
            for (index, list) in lists? {
                self.lists[index] = list;
            }
        }
        self.settle(rules, &open)?;
        if !std::mem::take(&mut self.first_wave) {
            self.date_empty_folders()?;
        }
        self.claims().close_wave();
        Ok(())
    }

    /// Unpacks the files of one package, or only those in `chosen`; its paths.
    fn package(
        &self,
        index: Index,
        rules: &Rules,
        open: &impl Fn(&Deb) -> Result<Box<dyn Read>>,
        chosen: Option<&HashSet<PathBuf>>,
        placer: &mut Placer<'_>,
    ) -> Result<Vec<PathBuf>> {
        let package = &self.packages[index];
        let unpacking = || format!("unpacking the package {}", package.name());
        let conffiles = package.conffiles();
        let mut list = Vec::new();
        let reader = open(package).with_context(unpacking)?;
        let unpacked = entries(reader, |entry, content| {
            list.push(entry.path.clone());
            if entry.path.as_os_str().is_empty() || chosen.is_some_and(|chosen| !chosen.contains(&entry.path))
            {
                return Ok(());
            }
            let task = Task { index, package, rules, conffiles: &conffiles, again: chosen.is_some() };
            self.entry(&task, &entry, content, placer)
                .with_context(|| format!("writing {} in the tree", entry.path.display()))
        });
        unpacked.with_context(unpacking)?;
        Ok(list)
    }

    fn entry(
        &self,
        task: &Task<'_>,
        entry: &Entry,
        content: &mut dyn Read,
        placer: &mut Placer<'_>,
    ) -> Result<()> {
        let place = task.rules.place(&entry.path, task.package.name());
        let attributes = task.rules.attributes(entry);
        if entry.kind == Kind::Folder {
            return self.folder(task, entry, place, placer);
        }
        let claim = Claim { package: task.index, shipped: entry.path.clone() };
        if !task.again && !self.claims().claim(place, claim) {
            return Ok(());
        }
        match &entry.kind {
            Kind::File => placer.file(&task.staged(&entry.path), content, attributes, entry.time),
            Kind::Link(target) => placer.link(place, target, attributes, entry.time).map(drop),
            Kind::HardLink(target) => placer.hard_link(&task.staged(&entry.path), &task.staged(target)),
            Kind::Fifo => placer.fifo(place, attributes, entry.time),
            Kind::Device => bail!("it is a device node, which only the running system can make"),
            Kind::Folder => Ok(()),
        }
    }

    /// The first package in the order of installation decides about owner and mode, as if it alone had come. Its time is
    /// the newest that any package gives it, whatever the order.
    fn folder(&self, task: &Task<'_>, entry: &Entry, place: &Path, placer: &mut Placer<'_>) -> Result<()> {
        let attributes = task.rules.attributes(entry);
        let folder = Folder { package: task.index, attributes, time: entry.time, filled: false };
        let key = merged(place);
        let mut claims = self.claims();
        match claims.folders.get_mut(&key) {
            None => {
                let made = placer.folder(place, attributes)?;
                claims.folders.insert(key, (made == Made::New).then_some(folder));
                claims.fill(place);
            }
            Some(Some(known)) => {
                let time = known.time.max(entry.time);
                if known.package > task.index {
                    if known.attributes != attributes {
                        placer.describe_folder(place, attributes)?;
                    }
                    *known = Folder { filled: known.filled, ..folder };
                }
                known.time = time;
            }
            Some(None) => {}
        }
        Ok(())
    }

    /// Decides about paths with two claims, and unpacks what has to stand there instead.
    fn settle(&mut self, rules: &Rules, open: &impl Fn(&Deb) -> Result<Box<dyn Read>>) -> Result<()> {
        let packages = &self.packages;
        let place = |claim: &Claim| rules.place(&claim.shipped, packages[claim.package].name()).to_owned();
        let verdicts = self
            .claims
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .settle(|index| &packages[index].control, place)?;
        let mut again: BTreeMap<Index, HashSet<PathBuf>> = BTreeMap::new();
        let mut placer = Placer::new(self.tree);
        for verdict in verdicts {
            if verdict.disowned {
                self.lists[verdict.loser.package].retain(|path| *path != verdict.loser.shipped);
                self.trimmed.insert(verdict.loser.package);
            }
            again.entry(verdict.winner.package).or_default().insert(verdict.winner.shipped);
        }
        for (index, chosen) in again {
            self.package(index, rules, open, Some(&chosen), &mut placer)?;
        }
        Ok(())
    }

    fn date_empty_folders(&self) -> Result<()> {
        let mut placer = Placer::new(self.tree);
        for (path, folder) in &self.claims().folders {
            if let Some(folder) = folder.as_ref().filter(|folder| !folder.filled) {
                placer
                    .date_folder(path, folder.time)
                    .with_context(|| format!("writing {} in the tree", path.display()))?;
            }
        }
        Ok(())
    }

    fn claims(&self) -> std::sync::MutexGuard<'_, Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One package on its way into the tree.
struct Task<'a> {
    index: Index,
    package: &'a Deb,
    rules: &'a Rules,
    conffiles: &'a HashSet<PathBuf>,
    /// Its claims were decided already.
    again: bool,
}

impl Task<'_> {
    /// Where a file lies until the package is configured.
    fn staged(&self, path: &Path) -> PathBuf {
        let mut place = self.rules.place(path, self.package.name()).as_os_str().to_owned();
        if self.conffiles.contains(path) {
            place.push(".dpkg-new");
        }
        place.into()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::super::super::deb::write_package;
    use super::*;
    use crate::host::Output;

    /// An entry of a test package: name, type, link and content.
    type File<'a> = (&'a str, tar::EntryType, &'a str, &'a [u8]);

    const FILE: tar::EntryType = tar::EntryType::Regular;
    const FOLDER: tar::EntryType = tar::EntryType::Directory;
    const LINK: tar::EntryType = tar::EntryType::Symlink;

    fn data(files: &[File<'_>]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, link, content) in files {
            let mut header = tar::Header::new_gnu();
            let gnu = header.as_gnu_mut().unwrap();
            gnu.name[..name.len()].copy_from_slice(name.as_bytes());
            gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(if *kind == FOLDER { 0o750 } else { 0o4755 });
            // Whoever runs the test can give files to himself only.
            header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
            header.set_gid(u64::from(rustix::process::getegid().as_raw()));
            header.set_mtime(1_000_000);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    struct Bench {
        _folder: tempfile::TempDir,
        path: PathBuf,
        host: Host,
        tree: RootTree,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let host = Host::new(Output::Quiet);
            let tree = RootTree::create(&host, &folder.path().join("root")).unwrap();
            tree.create_dir("usr/lib", 0o755).unwrap();
            tree.symlink("lib", "usr/lib").unwrap();
            Self { path: folder.path().to_owned(), _folder: folder, host, tree }
        }

        /// Unpacks packages named a, b ... with these control fields and data archives; the lists of their paths.
        fn unpack(&self, packages: &[(&str, Vec<u8>)]) -> Result<Vec<Vec<PathBuf>>> {
            let debs = packages.iter().enumerate().map(|(place, (fields, data))| {
                let name = char::from(b'a' + u8::try_from(place).unwrap()).to_string();
                let path = self.path.join(format!("{name}.deb"));
                std::fs::write(&path, write_package(&name, fields, data)).unwrap();
                Deb::open(&path)
            });
            let mut unpacker = Unpacker::new(&self.tree);
            let wave = unpacker.add(debs.collect::<Result<_>>()?);
            let open = |package: &Deb| -> Result<Box<dyn Read>> { Ok(Box::new(package.data()?)) };
            unpacker.unpack(&wave, &Rules::default(), open, &self.host)?;
            Ok(unpacker.lists)
        }

        fn refused(&self, data: Vec<u8>) -> String {
            format!("{:#}", self.unpack(&[("", data)]).unwrap_err())
        }
    }

    #[test]
    fn files_arrive_with_mode_time_and_links_of_the_tree_followed() {
        let bench = Bench::new();
        let files: [File; 4] = [
            ("./", FOLDER, "", b""),
            ("./lib/x/", FOLDER, "", b""),
            ("./lib/x/file", FILE, "", b"hello"),
            ("./lib/x/name", tar::EntryType::Link, "./lib/x/file", b""),
        ];
        let lists = bench.unpack(&[("", data(&files))]).unwrap();
        assert_eq!(lists[0].len(), 4);
        let file = bench.tree.metadata("usr/lib/x/file").unwrap();
        assert_eq!((file.mode() & 0o7777, file.mtime(), file.nlink()), (0o4755, 1_000_000, 2));
        assert_eq!(bench.tree.metadata("usr/lib/x").unwrap().permissions().mode() & 0o7777, 0o750);
        assert_eq!(bench.tree.read("lib/x/name").unwrap(), b"hello");
    }

    #[test]
    fn a_link_of_a_package_leads_nowhere_but_into_the_tree() {
        let bench = Bench::new();
        let outside = bench.path.join("outside");
        std::fs::create_dir(&outside).unwrap();
        let target = outside.display().to_string();
        let files: [File; 4] = [
            ("./escape", LINK, &target, b""),
            ("./escape/file", FILE, "", b"x"),
            ("./up", LINK, "../../../..", b""),
            ("./up/file", FILE, "", b"y"),
        ];
        // Whether the folder exists inside the tree or not: nothing is written outside.
        let _ = bench.unpack(&[("", data(&files))]);
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
        assert!(!bench.path.join("file").exists());
        let names: BTreeSet<_> =
            std::fs::read_dir(&bench.path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, BTreeSet::from(["a.deb".into(), "outside".into(), "root".into()]));
    }

    #[test]
    fn a_file_never_goes_through_a_link_of_its_name() {
        let bench = Bench::new();
        bench.tree.write("victim", "untouched", 0o644).unwrap();
        bench.tree.symlink("name", "/victim").unwrap();
        bench.unpack(&[("", data(&[("./name", FILE, "", b"new")]))]).unwrap();
        assert_eq!(bench.tree.read("victim").unwrap(), b"untouched");
        assert_eq!(bench.tree.read("name").unwrap(), b"new");
    }

    #[test]
    fn hostile_archives_are_refused() {
        let bench = Bench::new();
        assert!(bench.refused(data(&[("./../x", FILE, "", b"")])).contains("leads out of the tree"));
        assert!(bench.refused(data(&[("./null", tar::EntryType::Char, "", b"")])).contains("device node"));
        let whole = data(&[("./big", FILE, "", &[7; 5000])]);
        let cut = bench.refused(whole[..2000].to_vec());
        assert!(cut.contains("unpacking the package a"), "{cut}");
        let mut absurd = tar::Header::new_gnu();
        absurd.set_path("big").unwrap();
        absurd.set_size(1 << 60);
        absurd.set_mode(0o644);
        absurd.set_uid(u64::from(rustix::process::geteuid().as_raw()));
        absurd.set_gid(u64::from(rustix::process::getegid().as_raw()));
        absurd.set_mtime(0);
        absurd.set_cksum();
        let text = bench.refused(absurd.as_bytes().to_vec());
        assert!(text.contains("unpacking the package a"), "{text}");
        bench.tree.write("file", "", 0o644).unwrap();
        assert!(
            bench.refused(data(&[("./file/", FOLDER, "", b"")])).contains("there is a file of that name")
        );
    }

    #[test]
    fn two_packages_with_one_file_need_a_word_about_it() {
        let files = |content: &'static [u8]| data(&[("./usr/file", FILE, "", content)]);
        let text = format!("{:#}", Bench::new().unpack(&[("", files(b"a")), ("", files(b"b"))]).unwrap_err());
        assert!(text.contains("both hold /usr/file"), "{text}");
        let bench = Bench::new();
        let lists = bench.unpack(&[("Replaces: b\n", files(b"a")), ("", files(b"b"))]).unwrap();
        assert_eq!(bench.tree.read("usr/file").unwrap(), b"a");
        assert_eq!((lists[0].len(), lists[1].len()), (1, 0));
    }

    #[test]
    fn conffiles_wait_for_dpkg_and_diverted_files_go_elsewhere() {
        let bench = Bench::new();
        bench.tree.write("var/lib/dpkg/diversions", "/usr/prog\n/usr/prog.real\n:\n", 0o644).unwrap();
        let package = super::super::super::deb::package("a", "", &[]);
        let rules = Rules::read(&bench.tree).unwrap();
        let conffiles = HashSet::from([PathBuf::from("etc/a.conf")]);
        let task = Task { index: 0, package: &package, rules: &rules, conffiles: &conffiles, again: false };
        assert_eq!(task.staged(Path::new("etc/a.conf")), Path::new("etc/a.conf.dpkg-new"));
        assert_eq!(task.staged(Path::new("usr/prog")), Path::new("usr/prog.real"));
    }
}
