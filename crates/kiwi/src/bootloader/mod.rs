//! Boot loaders, written to their offsets in a disk file or to their paths on a medium.

pub mod console;
pub mod esp;
pub mod grub2;
pub mod isolinux;
pub mod medium_menu;
pub mod menu;
pub mod platform;
pub mod selected;
pub mod signed;
