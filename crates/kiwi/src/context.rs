//! The environment of one run, passed down as one value: the host, the cache, the files supplied with kiwi and the settings
//! of `kiwi.yml`.
//!
//! Functions that need only effects take `&Host`.

use std::sync::OnceLock;

use anyhow::Result;

use crate::cache::Cache;
use crate::debugging::{Debugging, Options};
use crate::host::Host;
use crate::runtime_configuration::RuntimeConfiguration;
use crate::share::Share;
use crate::source::AllowedPaths;

/// The environment of an operation. Cache and configuration are read at their first use, so that an operation without
/// them creates no directory and does not fail because of `kiwi.yml`.
pub struct Context {
    /// All access to the outside.
    pub host: Host,
    /// Boot image descriptions and the boot program.
    pub share: Share,
    /// Directories that links of a description may lead to.
    pub allowed: AllowedPaths,
    /// Shells and kept trees that the user asked for.
    pub debugging: Debugging,
    cache: OnceLock<Cache>,
    configuration: OnceLock<RuntimeConfiguration>,
}

impl Context {
    /// Returns the context of one run on `host`.
    pub fn new(host: Host, allowed: AllowedPaths, debugging: Options) -> Self {
        Self {
            share: Share::find(&host),
            host,
            allowed,
            debugging: Debugging::new(debugging),
            cache: OnceLock::new(),
            configuration: OnceLock::new(),
        }
    }

    /// Returns the cache and opens it for a build at the first call.
    pub fn cache(&self) -> Result<&Cache> {
        if let Some(cache) = self.cache.get() {
            return Ok(cache);
        }
        let opened = Cache::open(&self.host)?;
        Ok(self.cache.get_or_init(|| opened))
    }

    /// Returns the settings of `kiwi.yml`; the first call reads them and warns of unknown names.
    pub fn configuration(&self) -> Result<&RuntimeConfiguration> {
        if let Some(configuration) = self.configuration.get() {
            return Ok(configuration);
        }
        let read = RuntimeConfiguration::read_and_warn(&self.host)?;
        Ok(self.configuration.get_or_init(|| read))
    }
}
