//! The repositories of a plan as RPM package managers see them.

use description::RepositoryType;

use crate::package_manager::PackagePlan;
use crate::repository::Resolved;

/// The priority of a repository without one; a lower number is preferred.
pub(super) const PRIORITY: i64 = 99;

/// Returns the repositories of the build, each with its index in the plan.
pub(super) fn used(plan: &PackagePlan) -> impl Iterator<Item = (usize, &Resolved)> {
    plan.repositories.iter().enumerate().filter(|(_, repository)| repository.for_build)
}

/// Returns whether the signature of the metadata is checked. A directory of packages has none.
pub(super) fn checks_metadata(repository: &Resolved, plan: &PackagePlan) -> bool {
    repository.kind != RepositoryType::RpmDir && repository.rpm_checks.0.unwrap_or_else(|| by_default(plan))
}

/// Returns whether the signature of each package is checked. A local directory of packages without keys is trusted, like the
/// description itself.
pub(super) fn checks_packages(repository: &Resolved, plan: &PackagePlan) -> bool {
    let trusted = repository.kind == RepositoryType::RpmDir && repository.keys.is_empty();
    repository.rpm_checks.1.unwrap_or_else(|| by_default(plan) && !trusted)
}

fn by_default(plan: &PackagePlan) -> bool {
    plan.rpm.as_ref().is_none_or(|settings| settings.check_signatures)
}

/// Returns the repository of a package by its location; the longest location wins.
pub(super) fn of_location<'p>(plan: &'p PackagePlan, location: &str) -> Option<(usize, &'p Resolved)> {
    let contains = |repository: &Resolved| {
        let rest = location.strip_prefix(repository.location.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    used(plan)
        .filter(|(_, repository)| contains(repository))
        .max_by_key(|(_, repository)| repository.location.trim_end_matches('/').len())
}

/// Returns a path with the escapes of URLs.
pub(super) fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~+".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") })
        .collect()
}
