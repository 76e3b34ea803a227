//! `kiwi cache`: what the store holds of finished stages, less of it, or whether it is whole.

use anyhow::{Result, bail};

use crate::host::Host;
use crate::runtime_configuration::RuntimeConfiguration;
use crate::store::{Damaged, Kept, Limits, Store};

/// What is to be done with the store.
#[derive(Debug, Clone)]
pub enum Request {
    /// Show what is there.
    List,
    /// Take away what is beyond the limits.
    Prune(Limits),
    /// Read everything and take away what was damaged.
    Verify,
}

/// Does it.
pub fn run(request: &Request, host: &Host) -> Result<()> {
    let store = Store::of_earlier_builds(host);
    match request {
        Request::List => list(&store, host),
        Request::Prune(limits) => {
            let limits = match limits {
                Limits { size: None, age: None } => self::limits(host)?,
                limits => *limits,
            };
            let removed = store.prune(limits, host)?;
            let size: u64 = removed.iter().map(|kept| kept.contents.size()).sum();
            host.print(&format!("{} stages removed, {} freed", removed.len(), megabytes(size)));
            if let Some(age) = limits.age {
                let (count, size) = store.prune_unused(age, host)?;
                host.print(&format!("{count} packages and indices removed, {} freed", megabytes(size)));
            }
            Ok(())
        }
        Request::Verify => verify(&store, host),
    }
}

/// What may stay when nobody says otherwise.
pub(super) fn limits(host: &Host) -> Result<Limits> {
    Limits::of_host(RuntimeConfiguration::read(host)?.cache_size, host)
}

fn list(store: &Store, host: &Host) -> Result<()> {
    let kept = store.kept();
    let now = host.now();
    host.print(&format!("The store is {}", store.folder().display()));
    for Kept { key, contents, used } in &kept {
        host.print(&format!(
            "{}  {:10}  {:>9}  used {:>4} h ago  saves {:>5.1} s  {}",
            &key.digest.as_str()[..12],
            key.stage.word(),
            megabytes(contents.size()),
            now.saturating_sub(*used) / 3600,
            contents.milliseconds as f64 / 1000.0,
            contents.image
        ));
    }
    let size: u64 = kept.iter().map(|kept| kept.contents.size()).sum();
    host.print(&format!("{} stages, {}", kept.len(), megabytes(size)));
    Ok(())
}

fn verify(store: &Store, host: &Host) -> Result<()> {
    let (mut whole, mut damaged) = (0, 0);
    for kept in store.kept() {
        match store.stages().verify(&kept.key, host) {
            Ok(()) => whole += 1,
            Err(error) if error.is::<Damaged>() => {
                damaged += 1;
                host.warn(&format!("{error}; the stage is removed"));
                store.stages().remove(&kept.key, host)?;
            }
            Err(error) => return Err(error),
        }
    }
    host.print(&format!("{whole} stages are whole"));
    if damaged > 0 {
        bail!("{damaged} stages were damaged and are removed; the next build makes them anew");
    }
    Ok(())
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / f64::from(1 << 20))
}
