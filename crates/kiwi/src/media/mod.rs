//! Media from finished files: CDs, and what is copied to sticks.

pub mod iso;
