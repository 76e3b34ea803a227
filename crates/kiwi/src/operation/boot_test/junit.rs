//! The report of a boot test in the XML form of JUnit, which build servers show.

use std::fmt::Write as _;
use std::time::Duration;

use crate::operation::outcome::BootTest;

/// Bytes of the console that the report contains.
const TAIL: usize = 20_000;

/// Returns the report.
pub(super) fn report(name: &str, test: &BootTest, took: Duration, console: &str) -> String {
    let failures = test.checks.iter().filter(|check| check.failure.is_some()).count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" time=\"{:.1}\">",
        escaped(name),
        test.checks.len(),
        took.as_secs_f64()
    );
    for check in &test.checks {
        let _ = write!(
            text,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.1}\"",
            escaped(name),
            escaped(&check.name),
            check.seconds
        );
        match &check.failure {
            None => text.push_str("/>\n"),
            Some(failure) => {
                let _ = writeln!(text, "><failure message=\"{}\"/></testcase>", escaped(failure));
            }
        }
    }
    let start = console.len().saturating_sub(TAIL);
    let start = (start..=console.len()).find(|index| console.is_char_boundary(*index)).unwrap_or(0);
    let _ = writeln!(text, "  <system-out>{}</system-out>\n</testsuite>", escaped(&console[start..]));
    text
}

/// Replaces what has a meaning in XML, and characters that it cannot contain.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            '\r' => {}
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::outcome::CheckResult;

    #[test]
    fn report_is_well_formed_xml_with_every_check() {
        let check = |name: &str, failure: Option<&str>| CheckResult {
            name: name.to_owned(),
            seconds: 1.0,
            failure: failure.map(str::to_owned),
        };
        let checks = vec![check("reaches login", None), check("command a && b", Some("not \"x\" <y>"))];
        let test = BootTest { image: "a.qcow2".into(), passed: false, checks };
        let text = report("web", &test, Duration::from_secs(3), "\u{1b}[0mlogin: \r\n");
        let document = text.replace("</testsuite>\n", "</testsuite>");
        let names = elements(&document);
        assert_eq!(names, ["testsuite", "testcase", "testcase", "failure", "system-out"]);
        assert!(text.contains("tests=\"2\" failures=\"1\"") && text.contains("a &amp;&amp; b"), "{text}");
    }

    /// Returns the names of all elements.
    fn elements(text: &str) -> Vec<String> {
        let names = text.split('<').skip(2).filter(|part| !part.starts_with('/'));
        names.map(|part| part.split([' ', '>', '/']).next().unwrap_or_default().to_owned()).collect()
    }
}
