//! The structure of the sources: which module uses which (`arrows`), and what the workspace depends on (`dependencies`).

mod arrows;
mod dependencies;
mod graph;
mod names;
mod rules;
mod source;
