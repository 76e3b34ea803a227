//! The parts of an installation: the image on the medium, the disks of the machine, and questions to the user.

pub(crate) mod already_installed;
pub(crate) mod image;
pub(crate) mod question;
pub(crate) mod target;
