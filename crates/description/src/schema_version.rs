//! The versions of KIWI's schema.
//!
//! The list contains every version that KIWI published and that its own conversions stop at. `upgrade` implements the
//! changes between them, `schema` the keywords of each.

use std::fmt;

macro_rules! versions {
    ($($(#[$doc:meta])* $variant:ident = $number:literal,)*) => {
        /// The version of a schema, which determines the keywords that a description may use.
        ///
        /// Versions compare by age.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types)]
        pub enum SchemaVersion {
            $($(#[$doc])* #[doc = concat!("Schema ", $number, ".")] $variant,)*
        }

        impl SchemaVersion {
            /// Every version, oldest first.
            pub const ALL: &[SchemaVersion] = &[$(Self::$variant,)*];

            /// Returns the number as descriptions contain it.
            pub fn number(self) -> &'static str {
                match self {
                    $(Self::$variant => $number,)*
                }
            }
        }
    };
}

versions! {
    /// KIWI 1.x, of 2007.
    V1_4 = "1.4",
    V2_0 = "2.0",
    V2_4 = "2.4",
    V3_5 = "3.5",
    V3_7 = "3.7",
    V3_8 = "3.8",
    V3_9 = "3.9",
    V4_1 = "4.1",
    V4_2 = "4.2",
    V4_3 = "4.3",
    V4_4 = "4.4",
    V4_5 = "4.5",
    V4_6 = "4.6",
    V4_7 = "4.7",
    V4_8 = "4.8",
    V4_9 = "4.9",
    V5_0 = "5.0",
    V5_1 = "5.1",
    V5_2 = "5.2",
    V5_3 = "5.3",
    V5_4 = "5.4",
    V5_5 = "5.5",
    V5_6 = "5.6",
    V5_7 = "5.7",
    V5_8 = "5.8",
    V5_9 = "5.9",
    V6_0 = "6.0",
    V6_1 = "6.1",
    V6_2 = "6.2",
    V6_3 = "6.3",
    V6_4 = "6.4",
    V6_5 = "6.5",
    V6_6 = "6.6",
    V6_7 = "6.7",
    V6_8 = "6.8",
    V6_9 = "6.9",
    V7_0 = "7.0",
    V7_1 = "7.1",
    V7_2 = "7.2",
    V7_3 = "7.3",
    V7_4 = "7.4",
    V7_5 = "7.5",
    V7_6 = "7.6",
    V8_0 = "8.0",
    V8_1 = "8.1",
    V8_2 = "8.2",
    V8_3 = "8.3",
    V8_4 = "8.4",
    /// The newest schema.
    V8_5 = "8.5",
}

impl SchemaVersion {
    /// The oldest version.
    pub const OLDEST: SchemaVersion = Self::V1_4;

    /// The version whose keywords are the canonical ones.
    pub const NEWEST: SchemaVersion = Self::V8_5;

    /// Returns the version with that number.
    pub fn parse(number: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|version| version.number() == number)
    }

    /// Returns the attribute of `<image>` that contains the number; its name changed once.
    pub fn attribute(self) -> &'static str {
        if self <= Self::V2_4 { "schemeversion" } else { "schemaversion" }
    }

    /// Returns the next version.
    pub(crate) fn next(self) -> Option<Self> {
        Self::ALL.iter().copied().find(|version| *version > self)
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_their_numbers() {
        let number = |version: &SchemaVersion| {
            let (major, minor) = version.number().split_once('.').expect("a point");
            (major.parse::<u32>().expect("a number"), minor.parse::<u32>().expect("a number"))
        };
        assert!(SchemaVersion::ALL.windows(2).all(|pair| number(&pair[0]) < number(&pair[1])));
        assert_eq!(SchemaVersion::NEWEST.next(), None);
        assert_eq!(SchemaVersion::OLDEST.next(), Some(SchemaVersion::V2_0));
    }
}
