//! Options of KIWI 1.x that kiwi does not have. Their errors name what to use instead; docs/kiwi-2007.md lists them, too.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Options, each with its short form and what to use instead.
const OPTIONS: [(&str, Option<char>, &str); 16] = [
    ("create-instsource", None, "make a mirror with a tool such as reprepro or createrepo_c"),
    ("migrate", Some('m'), "write a description of the system with 'kiwi init'"),
    ("exclude", Some('e'), "write a description of the system with 'kiwi init'"),
    ("report", None, "write a description of the system with 'kiwi init'"),
    ("force-new-root", None, "remove the old root tree first"),
    ("bootcd-system", None, "build the type iso, or use 'kiwi boot-stick' with --system"),
    ("createhash", None, "'kiwi create' writes N.md5 beside each image"),
    ("base-root", None, "leave it out: the cache keeps the bootstrap packages"),
    ("base-root-mode", None, "leave it out: the cache keeps the bootstrap packages"),
    ("nocolor", None, "set NO_COLOR=1 in the environment"),
    ("gzip-cmd", None, "leave it out: kiwi compresses with all processors"),
    ("prebuiltbootimage", None, "leave it out: the cache keeps boot images"),
    ("prechroot-call", None, "write a script 'config.sh' in the description"),
    ("list-xmlinfo", Some('x'), "use 'kiwi info'"),
    ("compress", None, "set <compressed>yes</compressed> in the description"),
    ("setup-grub-splash", None, "leave it out: menus have no picture"),
];

/// Returns the error about an option that only KIWI 1.x has, on the command line `words`; others are returned unchanged. Behind a
/// verb a short form may be a mistake of another kind.
pub(super) fn explained(error: clap::Error, mut command: Command, words: &[String]) -> clap::Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return error };
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let has_verb = words.get(1).is_some_and(|word| !word.starts_with('-'));
    let name = argument.split('=').next().unwrap_or_default();
    let is_it = |(long, short, _): &&(&str, Option<char>, &str)| {
        name.strip_prefix("--") == Some(*long)
            || short.is_some_and(|short| !has_verb && name == format!("-{short}"))
    };
    match OPTIONS.iter().find(is_it) {
        Some((_, _, instead)) => {
            let text = format!("{name} of KIWI 1.x is not there: {instead}");
            command.error(ErrorKind::UnknownArgument, text)
        }
        None => error,
    }
}
