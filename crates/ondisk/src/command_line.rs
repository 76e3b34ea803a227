//! Kernel command lines that reach the kernel through every boot loader with their meaning.
//!
//! The kernel separates parameters by blanks; double quotes around a value, or around a whole parameter, keep blanks together.
//! ISOLINUX and pxelinux pass a line on as it is. GRUB has a shell: it interprets `;`, `|`, `{`, `$` and others outside quotes,
//! removes quotes, puts double quotes around a word with a blank, and, depending on its version, a backslash before every
//! quote and backslash that is left. A line therefore has no single quote, no backslash, and double quotes in pairs only.

use std::fmt;

/// The most bytes of a command line on x86, without the zero byte at its end.
pub const MAX_COMMAND_LINE: usize = 2047;

/// A command line that boot loaders pass on with its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandLine(Vec<String>);

/// The reason why a text is not such a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandLineError {
    /// It has a character that GRUB changes.
    Changed(char),
    /// A double quote has no second one, or is elsewhere than around a parameter or its value.
    Quote,
    /// It is longer than a kernel accepts.
    Length,
}

impl fmt::Display for CommandLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(c) => {
                write!(f, "GRUB does not pass {c:?} to the kernel as it is; write the parameter without it")
            }
            Self::Quote => f.write_str(
                "double quotes must surround a whole parameter or its value, such as name=\"two words\"",
            ),
            Self::Length => write!(f, "it is longer than {MAX_COMMAND_LINE} bytes, the limit of the kernel"),
        }
    }
}

impl std::error::Error for CommandLineError {}

impl CommandLine {
    /// Parses a text: parameters separated by white space, which a value in double quotes may contain.
    pub fn parse(text: &str) -> Result<Self, CommandLineError> {
        let parameters: Vec<String> = split(text).into_iter().map(str::to_owned).collect();
        let changed = |c: &char| matches!(c, '\'' | '\\') || c.is_control();
        for parameter in &parameters {
            if let Some(c) = parameter.chars().find(changed) {
                return Err(CommandLineError::Changed(c));
            }
            if parameter.contains('"') && content(parameter).is_none() {
                return Err(CommandLineError::Quote);
            }
        }
        let line = Self(parameters);
        match line.to_string().len() {
            0..=MAX_COMMAND_LINE => Ok(line),
            _ => Err(CommandLineError::Length),
        }
    }

    /// Returns the parameters as they were written.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// Splits a text at white space outside double quotes.
pub fn split(text: &str) -> Vec<&str> {
    let mut quoted = false;
    let separates = |c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    };
    text.split(separates).filter(|parameter| !parameter.is_empty()).collect()
}

/// Returns a command line as words of GRUB's script language, which has the same meaning for the kernel.
pub fn for_grub(line: &str) -> String {
    split(line).into_iter().map(grub_word).collect::<Vec<_>>().join(" ")
}

/// Returns a parameter as a word of GRUB's script language.
pub fn grub_word(parameter: &str) -> String {
    let parameter = content(parameter).unwrap_or_else(|| parameter.to_owned());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !parameter.is_empty() && parameter.chars().all(is_plain) {
        return parameter;
    }
    format!("'{}'", parameter.replace('\'', "'\\''"))
}

/// Returns a parameter without the pair of double quotes around it or around its value; none if it has other ones or none.
fn content(parameter: &str) -> Option<String> {
    let inner = |text: &str| {
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        (!inner.contains('"')).then(|| inner.to_owned())
    };
    match parameter.split_once('=') {
        Some((name, value)) if !name.contains('"') => Some(format!("{name}={}", inner(value)?)),
        Some(_) | None => inner(parameter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grub_reads_what_its_shell_would_interpret() {
        let line =
            "quiet ds=nocloud;s=http://x/ pipe=|x {brace} price=$5 note=\"two words\" \"whole=a b\" a=\"b\"";
        assert_eq!(
            for_grub(line),
            "quiet 'ds=nocloud;s=http://x/' 'pipe=|x' '{brace}' 'price=$5' 'note=two words' 'whole=a b' a=b"
        );
        assert_eq!(CommandLine::parse(&format!(" {line}\n")).unwrap().to_string(), line);
    }

    #[test]
    fn words_that_grub_would_change_are_refused() {
        let error = |text| CommandLine::parse(text).unwrap_err();
        assert_eq!(error("say=it's"), CommandLineError::Changed('\''));
        assert_eq!(error("path=C:\\x"), CommandLineError::Changed('\\'));
        assert_eq!(error("a=\"b\u{1}\""), CommandLineError::Changed('\u{1}'));
        for quote in ["a=\"b", "a=b\"c\"", "\"a\"b", "a=\"b\"\"c\"", "\""] {
            assert_eq!(error(quote), CommandLineError::Quote, "{quote}");
        }
        assert_eq!(error(&"x".repeat(2048)), CommandLineError::Length);
    }
}
