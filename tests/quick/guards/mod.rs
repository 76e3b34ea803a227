//! The structure of the sources: which module uses which (`arrows`), what the workspace depends
//! on (`dependencies`), and where formats of one package manager are known (`package_formats`).

mod arrows;
mod dependencies;
mod graph;
mod names;
mod package_formats;
mod rules;
mod source;
