//! Boot loaders, written into a disk file or onto a medium at their locations.

pub mod esp;
pub mod grub2;
pub mod isolinux;
pub mod medium_menu;
