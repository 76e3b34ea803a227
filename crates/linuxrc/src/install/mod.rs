//! The parts of an installation: the image on the medium, the disks of the machine, questions to the user, and the end.

pub(crate) mod already_installed;
pub(crate) mod ending;
pub(crate) mod image;
pub(crate) mod progress;
pub(crate) mod question;
pub(crate) mod target;
