//! The choice of the disk, and that none is overwritten without consent.

use super::*;
use crate::device::tests::Files;

const MIB: u64 = 1 << 20;

fn target(name: &str, mebibytes: u64, partitions: usize) -> Target {
    let empty = partitions == 0;
    Target { name: name.to_owned(), bytes: mebibytes * MIB, model: String::new(), partitions, empty }
}

/// A user with these answers, who remembers the questions.
struct Answers(Vec<&'static str>, String);

impl Prompt for Answers {
    fn ask(&mut self, question: &str) -> std::io::Result<String> {
        self.1.push_str(question);
        match self.0.is_empty() {
            true => Err(std::io::Error::other("nobody is there")),
            false => Ok(self.0.remove(0).to_owned()),
        }
    }
}

fn chosen(config: &InstallConfig, targets: &[Target], answers: &[&'static str]) -> Result<String, String> {
    let mut prompt = Answers(answers.to_vec(), String::new());
    let result = choose_with(config, targets, 100 * MIB, &mut prompt);
    result.map(|target| target.name.clone()).map_err(|boot_failure| boot_failure.text)
}

fn config(disk: Option<&str>, unattended: bool) -> InstallConfig {
    let disk = disk.map(str::to_owned);
    let choices = unattended.then_some(InstallChoice::Unattended).into_iter().collect();
    InstallConfig { disk, choices, ..InstallConfig::new("system.x86_64-1.0.0") }
}

#[test]
fn disks_that_match_the_filter_are_not_offered() {
    let disk = |name, model: &str| Target { model: model.to_owned(), ..target(name, 200, 0) };
    let targets = [disk("sda", "Fast Disk"), disk("sdb", "Fast Disk"), disk("sdc", "USB Reader")];
    let offered = |filter: &str, named: Option<&str>| {
        let config = InstallConfig { filter: Some(filter.to_owned()), ..config(named, false) };
        let offered = offered(&config, targets.to_vec()).map_err(|boot_failure| boot_failure.text)?;
        Ok::<_, String>(offered.into_iter().map(|target| target.name).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(offered("^/dev/sd[b-z]$|Reader", None).unwrap(), "sda");
    assert_eq!(offered("^sd", None).unwrap(), "sda sdb sdc", "names are whole paths");
    assert_eq!(offered("/dev/", Some("sdc")).unwrap(), "sdc");
    assert!(
        offered("(", None)
            .unwrap_err()
            .starts_with("The medium's filter for disks is not a valid regular expression")
    );
}

#[test]
fn without_the_typed_keyword_no_disk_is_taken() {
    let targets = [target("sda", 200, 3), target("sdb", 200, 0)];
    let ask = |answers: &[&'static str]| chosen(&config(None, false), &targets, answers);
    assert_eq!(ask(&["sda", "yes"]), Ok("sda".to_owned()));
    assert_eq!(ask(&["sdx", "/dev/sdb", "yes"]), Ok("sdb".to_owned()));
    for answers in [&["sda", "y"][..], &["sda", "YES"], &["sda", ""], &["sda"], &[""], &[]] {
        let text = ask(answers).unwrap_err();
        assert!(text.starts_with("Nothing was installed"), "{answers:?}: {text}");
    }
}

#[test]
fn a_disk_the_medium_names_is_not_taken_without_consent_either() {
    let targets = [target("sda", 200, 3), target("sdb", 200, 0)];
    assert_eq!(chosen(&config(Some("sda"), false), &targets, &["yes"]), Ok("sda".to_owned()));
    assert!(chosen(&config(Some("sda"), false), &targets, &["sda"]).is_err());
    let missing = chosen(&config(Some("nvme0n1"), true), &targets, &[]).unwrap_err();
    assert!(missing.starts_with("The disk nvme0n1 for the system"), "{missing}");
    assert!(missing.contains("\n  sda  200 MiB  (3 partitions)\n  sdb  200 MiB  (empty)"), "{missing}");
}

#[test]
fn unattended_means_one_disk_or_a_named_one() {
    let one = [target("vda", 200, 1)];
    let two = [target("vda", 200, 1), target("vdb", 200, 0)];
    assert_eq!(chosen(&config(None, true), &one, &[]), Ok("vda".to_owned()));
    assert_eq!(chosen(&config(Some("vdb"), true), &two, &[]), Ok("vdb".to_owned()));
    let doubt = chosen(&config(None, true), &two, &[]).unwrap_err();
    assert!(doubt.starts_with("The installation is unattended, but this machine has 2 disks"), "{doubt}");
}

#[test]
fn a_disk_that_is_too_small_is_reported_before_any_question() {
    let small = [target("sda", 99, 0)];
    for config in [config(None, true), config(None, false), config(Some("sda"), false)] {
        let text = chosen(&config, &small, &[]).unwrap_err();
        let expected = "The disk sda is too small: it has 99 MiB and the system needs 100 MiB.\n\nNothing was written to it.";
        assert_eq!(text, expected);
    }
    let two = [target("sda", 99, 0), target("sdb", 98, 1)];
    let text = chosen(&config(None, false), &two, &[]).unwrap_err();
    assert!(text.starts_with("No disk of this machine is large enough: the system needs 100 MiB."), "{text}");
    assert!(text.contains("\n  sda  99 MiB  (empty)\n  sdb  98 MiB  (1 partition)\n"), "{text}");
    assert!(chosen(&config(None, true), &[], &[]).unwrap_err().starts_with("This machine has no disk"));
}

#[test]
fn after_a_disk_that_is_too_small_another_one_is_asked_for() {
    let targets = [target("sda", 99, 0), target("sdb", 200, 0)];
    let mut prompt = Answers(vec!["sda", "sdb", "yes"], String::new());
    let taken = choose_with(&config(None, false), &targets, 100 * MIB, &mut prompt);
    assert_eq!(taken.map(|target| target.name.as_str()).map_err(|boot_failure| boot_failure.text), Ok("sdb"));
    let said = "The disk sda is too small: it has 99 MiB and the system needs 100 MiB. Name of the disk: ";
    assert!(prompt.1.contains(said), "{}", prompt.1);
}

#[test]
fn the_question_shows_what_will_be_lost() {
    let targets = [target("sda", 200, 3)];
    let mut prompt = Answers(vec!["sda", "yes"], String::new());
    choose_with(&config(None, false), &targets, MIB, &mut prompt).unwrap();
    assert!(prompt.1.contains("Installation of system.x86_64-1.0.0 (1 MiB)"), "{}", prompt.1);
    assert!(
        prompt.1.contains("  sda  200 MiB  (3 partitions)\n\nALL THAT IS ON IT WILL BE LOST."),
        "{}",
        prompt.1
    );
}

#[test]
fn disks_are_seen_with_what_is_on_them() {
    let files = Files::new();
    files.add("sda", None, &[0; 4096]);
    files.add("sda1", Some(("sda", 1)), &[0; 4096]);
    files.add("sdb", None, &[0; 4096]);
    files.add("sdc", None, &[1; 4096]);
    files.add("sdd", None, &[0; 4096]);
    files.add("sr0", None, &[0; 4096]);
    files.add("loop0", None, &[0; 4096]);
    fs::write(files.machine.sys.join("class/block/sdb/removable"), "1\n").unwrap();
    let lines: Vec<String> = list(&files.machine, "sdd").iter().map(Target::line).collect();
    assert_eq!(lines, ["sda  0 MiB  (1 partition)", "sdc  0 MiB  (something without partitions on it)"]);
}
