//! Abbreviations of options: clap accepts the start of a name that only one option has.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// Returns the error for the command line `words`; if an unknown option is the start of several, the error lists them.
pub(super) fn explained(error: Error, mut command: Command, words: &[String]) -> Error {
    let written = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(written)) if error.kind() == ErrorKind::UnknownArgument => written,
        _ => return error,
    };
    let options = candidates(written, &mut command, words);
    if options.len() < 2 {
        return error;
    }
    let text =
        format!("{written} is ambiguous: it is the start of {}; write the whole name", options.join(", "));
    command.error(ErrorKind::UnknownArgument, text)
}

/// Returns the options of the verb in `words` whose names start with `written`, sorted.
fn candidates(written: &str, command: &mut Command, words: &[String]) -> Vec<String> {
    command.build();
    let mut verb = &*command;
    for word in words {
        verb = verb.find_subcommand(word).unwrap_or(verb);
    }
    let names = verb.get_arguments().filter(|argument| !argument.is_hide_set());
    let names = names.filter_map(|argument| Some(format!("--{}", argument.get_long()?)));
    let mut options: Vec<String> = names.filter(|name| name.starts_with(written)).collect();
    options.sort();
    options.dedup();
    options
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn an_ambiguous_abbreviation_lists_the_options() {
        let text = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let error = Arguments::command().try_get_matches_from(&words).unwrap_err();
            explained(error, Arguments::command(), &words).to_string()
        };
        let ambiguous = text("kiwi build --al x");
        assert!(ambiguous.contains("--all-types, --allow-path"), "{ambiguous}");
        assert!(!text("kiwi build --nothing x").contains("ambiguous"));
        assert!(Arguments::command().try_get_matches_from(["kiwi", "build", "--all", "x"]).is_err());
        assert!(
            Arguments::command()
                .try_get_matches_from(["kiwi", "build", "--all-", "x", "--destdir", "y"])
                .is_ok()
        );
    }
}
