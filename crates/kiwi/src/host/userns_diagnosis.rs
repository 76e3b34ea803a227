//! Why namespaces are refused, and which setting of the machine or the container allows them.
//!
//! The kernel answers "Operation not permitted" for half a dozen reasons; files in `/proc` tell them apart.

use std::fmt;
use std::fs;
use std::io;

use super::id_range::Range;

const SETGID: (u32, &str) = (6, "SETGID");
const SETUID: (u32, &str) = (7, "SETUID");
const SYS_ADMIN: (u32, &str) = (21, "SYS_ADMIN");
const SETFCAP: (u32, &str) = (31, "SETFCAP");

/// Capabilities needed to write a mapping that contains id 0: their numbers and names.
const MAPPING_CAPABILITIES: [(u32, &str); 3] = [SETGID, SETUID, SETFCAP];

/// The refused step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Creating a user namespace.
    Make,
    /// Mapping ids into it.
    Map,
    /// Becoming root in it and creating the other namespaces.
    Use,
}

/// A refused step with its remedy.
#[derive(Debug)]
pub struct UsernsDiagnosis {
    step: Step,
    error: io::Error,
    surroundings: Surroundings,
}

impl UsernsDiagnosis {
    /// Returns the diagnosis of `step` in the environment of this process.
    pub(super) fn new(step: Step, error: io::Error) -> Self {
        Self { step, error, surroundings: Surroundings::here() }
    }
}

impl fmt::Display for UsernsDiagnosis {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.step {
            Step::Make => "this system does not allow user namespaces",
            Step::Map => "ids cannot be mapped into a user namespace here",
            Step::Use => "this system allows user namespaces but not their use",
        };
        let remedy = self.surroundings.remedy(self.step, self.error.raw_os_error());
        write!(to, "{what} ({}); {remedy}", self.error)
    }
}

/// Returns what prevents `newuidmap` or `newgidmap` from mapping ids, with its remedy.
///
/// `set_uid`: the program becomes root by its mode, not by file capabilities. `ranges` are the ids to map, `mapped` those
/// that exist here.
pub(super) fn program_remedy(set_uid: bool, ranges: &[Range], mapped: &[Range]) -> String {
    Surroundings::here().program_remedy(set_uid, ranges, mapped)
}

/// The settings that affect namespaces. A sysctl that the kernel does not have is `None`.
#[derive(Debug, Default)]
struct Surroundings {
    /// Whether a system call filter is active, as in most containers.
    filtered: bool,
    /// Effective capabilities, one bit each.
    capabilities: u64,
    /// The maximum capabilities of a program started here.
    bounding: u64,
    /// Whether no program gets more rights than its caller.
    no_new_privileges: bool,
    max_user_namespaces: Option<u64>,
    unprivileged_userns_clone: Option<u64>,
    apparmor_restrict_unprivileged_userns: Option<u64>,
}

impl Surroundings {
    fn here() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let number = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok()?.trim().parse().ok();
        Self {
            max_user_namespaces: number("user/max_user_namespaces"),
            unprivileged_userns_clone: number("kernel/unprivileged_userns_clone"),
            apparmor_restrict_unprivileged_userns: number("kernel/apparmor_restrict_unprivileged_userns"),
            ..Self::of_status(&status)
        }
    }

    /// Parses `/proc/self/status`.
    fn of_status(status: &str) -> Self {
        let field = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or("").trim()
        };
        let capabilities = |name: &str| u64::from_str_radix(field(name), 16).unwrap_or(0);
        Self {
            filtered: field("Seccomp") == "2",
            capabilities: capabilities("CapEff"),
            bounding: capabilities("CapBnd"),
            no_new_privileges: field("NoNewPrivs") == "1",
            ..Self::default()
        }
    }

    fn remedy(&self, step: Step, code: Option<i32>) -> String {
        match step {
            Step::Make if self.max_user_namespaces == Some(0) => {
                "allow them: sysctl user.max_user_namespaces=15000".to_owned()
            }
            Step::Make if matches!(code, Some(libc::ENOSPC | libc::EUSERS)) => {
                "too many are in use or they are nested too deeply: raise user.max_user_namespaces, or start kiwi \
                 outside of another namespace"
                    .to_owned()
            }
            Step::Make if self.unprivileged_userns_clone == Some(0) => {
                "allow them: sysctl kernel.unprivileged_userns_clone=1".to_owned()
            }
            Step::Map => self.mapping_remedy(),
            Step::Use if self.apparmor_restrict_unprivileged_userns == Some(1) => {
                "AppArmor removes their capabilities: sysctl kernel.apparmor_restrict_unprivileged_userns=0, or give kiwi \
                 a profile with the rule 'userns,'"
                    .to_owned()
            }
            Step::Make | Step::Use if self.filtered => {
                "the container's system call filter forbids them: start it with --security-opt seccomp=unconfined \
                 (podman, docker), or seccompProfile type Unconfined (Kubernetes)"
                    .to_owned()
            }
            Step::Make => "the kernel allows none in a chroot: start kiwi outside, or make it a container \
                           (podman run --rootfs DIRECTORY)"
                .to_owned(),
            Step::Use => "a security module forbids them: in a container add --security-opt apparmor=unconfined, or \
                          --security-opt label=disable with SELinux"
                .to_owned(),
        }
    }

    fn mapping_remedy(&self) -> String {
        let missing = lacking(self.capabilities, &MAPPING_CAPABILITIES);
        if missing.is_empty() {
            return "a security module forbids it: in a container add --security-opt apparmor=unconfined, or \
                    --security-opt label=disable with SELinux"
                .to_owned();
        }
        format!("root lacks capabilities here: start the container with --cap-add {missing}")
    }

    fn program_remedy(&self, set_uid: bool, ranges: &[Range], mapped: &[Range]) -> String {
        let missing = lacking(self.bounding, &[SETGID, SETUID]);
        let absent = ranges.iter().find(|range| !is_within(**range, mapped));
        if self.no_new_privileges {
            "programs cannot gain rights here (no-new-privileges): remove that setting (Kubernetes: \
             allowPrivilegeEscalation: true), or start kiwi as root of the container, which needs none"
                .to_owned()
        } else if !missing.is_empty() {
            format!(
                "it lacks a capability here: start the container with --cap-add {missing}, or kiwi as its root"
            )
        } else if let Some(Range { first, count }) = absent {
            format!(
                "not all of its ids {first} to {} exist in this container (/proc/self/uid_map lists those that do): give \
                 the user others in /etc/subuid and /etc/subgid, or start kiwi as root of the container",
                u64::from(*first) + u64::from(*count) - 1
            )
        } else if set_uid && self.bounding >> SYS_ADMIN.0 & 1 == 0 {
            "in a container these programs need file capabilities instead of the set-uid bit (in its image: cd /usr/bin \
             && chmod u-s newuidmap newgidmap && setcap cap_setuid=ep newuidmap && setcap cap_setgid=ep newgidmap), or \
             start kiwi as root of the container"
                .to_owned()
        } else {
            "the programs need the set-uid bit or file capabilities, on a file system that is not mounted nosuid"
                .to_owned()
        }
    }
}

/// Returns the names of those of `wanted` that are not in the set, as `--cap-add` expects them.
fn lacking(set: u64, wanted: &[(u32, &str)]) -> String {
    let missing: Vec<&str> =
        wanted.iter().filter(|(number, _)| set >> number & 1 == 0).map(|(_, name)| *name).collect();
    missing.join(",")
}

/// Whether every id of the range is in one of the others.
fn is_within(range: Range, others: &[Range]) -> bool {
    let bounds = |range: Range| (u64::from(range.first), u64::from(range.first) + u64::from(range.count));
    let (mut next, end) = bounds(range);
    // The others are in any order; each round uses one that continues.
    while next < end {
        let goes_on =
            others.iter().map(|other| bounds(*other)).find(|(first, end)| (*first..*end).contains(&next));
        match goes_on {
            Some((_, end)) => next = end,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(step: Step, code: i32, surroundings: Surroundings) -> String {
        let error = io::Error::from_raw_os_error(code);
        UsernsDiagnosis { step, error, surroundings }.to_string()
    }

    #[test]
    fn each_cause_has_its_own_remedy() {
        let of = Surroundings::default;
        let cases = [
            (
                Step::Make,
                libc::ENOSPC,
                Surroundings { max_user_namespaces: Some(0), ..of() },
                "max_user_namespaces=15000",
            ),
            (Step::Make, libc::ENOSPC, of(), "too many are in use"),
            (
                Step::Make,
                libc::EPERM,
                Surroundings { unprivileged_userns_clone: Some(0), ..of() },
                "userns_clone=1",
            ),
            (Step::Make, libc::EPERM, Surroundings { filtered: true, ..of() }, "seccomp=unconfined"),
            (Step::Make, libc::EPERM, of(), "chroot"),
            (
                Step::Use,
                libc::EPERM,
                Surroundings { apparmor_restrict_unprivileged_userns: Some(1), filtered: true, ..of() },
                "'userns,'",
            ),
            (Step::Use, libc::EPERM, Surroundings { filtered: true, ..of() }, "seccomp=unconfined"),
            (Step::Use, libc::EPERM, of(), "label=disable"),
            (Step::Map, libc::EPERM, of(), "--cap-add SETGID,SETUID,SETFCAP"),
            (Step::Map, libc::EPERM, Surroundings { capabilities: !0, ..of() }, "apparmor=unconfined"),
        ];
        for (step, code, surroundings, expected) in cases {
            let said = remedy(step, code, surroundings);
            assert!(said.contains(expected), "{said} lacks {expected}");
        }
    }

    #[test]
    fn the_status_of_a_process_is_read() {
        let read = Surroundings::of_status(
            "Name:\tkiwi\nCapEff:\t00000000800405fb\nSeccomp:\t2\nSeccomp_filters:\t1\n",
        );
        assert!(read.filtered);
        assert!(read.mapping_remedy().contains("apparmor"), "it has all three");
        let without = Surroundings::of_status("CapEff:\t00000000000405fb\nSeccomp:\t0\n");
        assert!(!without.filtered);
        assert!(without.mapping_remedy().ends_with("--cap-add SETFCAP"));
    }

    #[test]
    fn what_prevents_newuidmap_is_identified() {
        let all = Surroundings { bounding: !0, ..Surroundings::default() };
        let plain = Surroundings { bounding: 0x8004_05fb, ..Surroundings::default() };
        let everywhere = [range(0, u32::MAX)];
        let ranges = [range(100_000, 65_536)];
        let said = |surroundings: &Surroundings, set_uid: bool, mapped: &[Range]| {
            surroundings.program_remedy(set_uid, &ranges, mapped)
        };
        assert!(said(&all, true, &everywhere).contains("nosuid"));
        assert!(said(&plain, true, &everywhere).contains("setcap cap_setuid=ep"));
        assert!(said(&plain, false, &everywhere).contains("nosuid"));
        assert!(said(&plain, true, &[range(0, 65_537)]).contains("100000 to 165535 exist"));
        let without = Surroundings { bounding: 0, ..Surroundings::default() };
        assert!(said(&without, true, &everywhere).contains("--cap-add SETGID,SETUID"));
        let held = Surroundings { no_new_privileges: true, ..all };
        assert!(said(&held, true, &everywhere).contains("allowPrivilegeEscalation"));
    }

    fn range(first: u32, count: u32) -> Range {
        Range { first, count }
    }

    #[test]
    fn a_range_can_lie_across_others() {
        let asked = range(10, 20);
        assert!(is_within(asked, &[range(20, 10), range(0, 20)]));
        assert!(!is_within(asked, &[range(21, 10), range(0, 20)]));
        assert!(!is_within(asked, &[range(0, 29)]));
        assert!(is_within(asked, &[range(0, u32::MAX)]));
    }
}
