//! The structure of the sources: which module uses which (`arrows`), what the workspace depends
//! on (`dependencies`), where formats of one package manager are known (`package_formats`), and the scripts of supplied
//! descriptions (`supplied_scripts`).

mod arrows;
mod dependencies;
mod graph;
mod names;
mod package_formats;
mod rules;
mod source;
mod supplied_scripts;
