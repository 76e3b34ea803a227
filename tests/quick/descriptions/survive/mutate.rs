//! Changes a description at random: correct keywords at wrong positions, and broken syntax.

use std::collections::BTreeSet;
use std::ops::Range;

use description::{SchemaVersion, vocabulary};

/// Texts that have a meaning in one of the formats.
const PIECES: [&str; 72] = [
    "<",
    ">",
    "/>",
    "</",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x?>",
    "&amp;",
    "&#10;",
    "&#0;",
    "&x;",
    "xmlns:a=\"b\"",
    "<a:b xmlns:a=\"c\"/>",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\\u0000",
    "\\ud800",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "\u{b}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{e4}\u{1f427}",
    ": ",
    "- ",
    "? ",
    "#",
    " # x",
    "&a ",
    "*a",
    "<<: *a",
    "!!int ",
    "!x ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "~",
    "null",
    "true",
    "No",
    "[",
    "]",
    "{",
    "}",
    ",",
    "=",
    ".",
    "/",
    "..",
    "0x1f",
    "-0",
    "1e999",
    "18446744073709551616",
    "nan",
    "2026-11-24T01:02:03Z",
    "[image]\n",
    "[[image.packages]]\n",
    "#text",
    "@name",
    "<include from=\"part.xml\"/>",
    "\ninclude:\n  from: config.yaml\n",
];

/// Numbers that look random and are the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }

    fn one_of<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// Returns every element, attribute and value of all schemas.
pub fn keywords() -> Vec<String> {
    let mut keywords: BTreeSet<String> = SchemaVersion::ALL.iter().map(|it| it.number().to_owned()).collect();
    for &schema in SchemaVersion::ALL {
        let grammar = vocabulary::relax_ng(schema);
        for (before, after) in [(" name=\"", '"'), ("<value>", '<')] {
            let found = grammar.split(before).skip(1).filter_map(|rest| rest.split(after).next());
            keywords.extend(found.map(str::to_owned));
        }
    }
    keywords.into_iter().collect()
}

/// Makes a few changes.
pub fn mutate(text: &mut String, keywords: &[String], dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        change(text, keywords, dice);
    }
}

fn change(text: &mut String, keywords: &[String], dice: &mut Dice) {
    let keyword = dice.one_of(keywords).cloned().unwrap_or_default();
    let piece = dice.one_of(&PIECES).copied().unwrap_or_default();
    let here = boundary(text, dice);
    match dice.below(12) {
        0..=2 => {
            let old = keyword_at(text, here);
            text.replace_range(old, &keyword);
        }
        3 => {
            let old = keyword_at(text, here);
            text.replace_range(old, piece);
        }
        4 => text.insert_str(here, piece),
        5 => {
            let old = keyword_at(text, here);
            text.replace_range(old, "");
        }
        6 => text.replace_range(lines_at(text, here, dice), ""),
        7 | 8 => {
            let lines = text[lines_at(text, here, dice)].to_owned();
            let there = boundary(text, dice);
            let there = lines_at(text, there, dice).start;
            text.insert_str(there, &lines);
        }
        9 => {
            let old = keyword_at(text, here);
            let other = boundary(text, dice);
            let other = text[keyword_at(text, other)].to_owned();
            text.replace_range(old, &other);
        }
        10 => {
            let value = text[keyword_at(text, here)].to_owned();
            let end = text[here..].find(['\n', '>', '/', ',']).map_or(text.len(), |end| here + end);
            text.insert_str(end, &format!(" {keyword}=\"{value}\""));
        }
        _ => {
            let value = text[keyword_at(text, here)].to_owned();
            let start = lines_at(text, here, dice).start;
            let indent: String = text[start..].chars().take_while(|c| *c == ' ').collect();
            let line = match dice.below(3) {
                0 => format!("{indent}{keyword}: {value}\n"),
                1 => format!("{keyword} = \"{value}\"\n"),
                _ => format!("<{keyword}>{value}</{keyword}>\n"),
            };
            text.insert_str(start, &line);
        }
    }
}

fn boundary(text: &str, dice: &mut Dice) -> usize {
    text.floor_char_boundary(dice.below(text.len() + 1))
}

/// Returns the range of letters, digits, `-`, `_` and `.` around an offset.
fn keyword_at(text: &str, at: usize) -> Range<usize> {
    let other = |c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c);
    let start = text[..at].rfind(other).map_or(0, |start| text.ceil_char_boundary(start + 1));
    let end = text[at..].find(other).map_or(text.len(), |end| at + end);
    start..end
}

/// Returns the range of a few whole lines, from that of an offset on.
fn lines_at(text: &str, at: usize, dice: &mut Dice) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let mut end = at;
    for _ in 0..=dice.below(4) {
        end = text[end..].find('\n').map_or(text.len(), |next| end + next + 1);
    }
    start..end
}
