//! The download of one file, by curl.

use anyhow::Result;

use super::solver::VIEW;
use crate::host::Host;
use crate::package_manager::ManagerFiles;

/// Downloads a file into [`ManagerFiles`].
pub(super) fn download(
    url: &str,
    to: &str,
    credentials: Option<&(String, String)>,
    files: &ManagerFiles,
    host: &Host,
) -> Result<()> {
    // The URL and the password are in a file, so that no command line contains them.
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut configuration = format!("url = {}\noutput = {}\n", quoted(url), quoted(&format!("{VIEW}/{to}")));
    if let Some((user, password)) = credentials {
        configuration += &format!("user = {}\n", quoted(&format!("{user}:{password}")));
    }
    files.write("tmp/curl", configuration, host)?;
    let command = host
        .command("curl")
        .writable(files.path())
        .bind(files.path(), VIEW, false)
        .args(["--disable", "--fail", "--silent", "--show-error", "--location", "--retry", "2"])
        .args(["--config", &format!("{VIEW}/tmp/curl")])
        .network();
    Ok(super::failed::with_proxies(command, host)?.run()?)
}
