//! What an installation is made of: the image on the medium, the disks of the machine, and questions to the prompt in
//! front of it.

pub(crate) mod already_installed;
pub(crate) mod image;
pub(crate) mod question;
pub(crate) mod target;
