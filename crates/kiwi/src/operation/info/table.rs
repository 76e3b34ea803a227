//! The facts of `kiwi info` as tables for a person.

use super::facts::{Build, Info};

/// Returns all tables; empty ones are omitted.
pub(super) fn text(info: &Info) -> String {
    let build = |value: fn(&Build) -> String| info.build.as_ref().map(value).unwrap_or_default();
    let mut text = rows(&[
        row(["Image", &format!("{} {}", info.name, info.image_version)]),
        row(["Title", info.display_name.as_deref().unwrap_or_default()]),
        row(["Specification", &info.specification]),
        row(["Author", &format!("{} <{}>", info.author, info.contact)]),
        row(["Schema", &info.schema]),
        row(["Type", &build(|build| build.image_type.clone())]),
        row(["Architecture", &build(|build| build.architecture.clone())]),
        row(["Profiles", &build(|build| build.profiles.join(", "))]),
        row(["Package manager", &build(|build| build.package_manager.clone())]),
    ]);
    let mark = |is: bool, keyword: &str| if is { keyword.to_owned() } else { String::new() };
    let types = info.types.iter().map(|image_type| {
        vec![image_type.name.clone(), mark(image_type.primary, "primary"), of_profiles(&image_type.profiles)]
    });
    section(&mut text, "Types", types.collect());
    let profiles = info.profiles.iter().map(|profile| {
        let requires = match profile.requires.as_slice() {
            [] => String::new(),
            names => format!("requires {}", names.join(", ")),
        };
        let state = if profile.active { "active" } else { "" };
        vec![
            profile.name.clone(),
            state.to_owned(),
            mark(profile.import, "imported"),
            profile.description.clone(),
            requires,
        ]
    });
    section(&mut text, "Profiles", profiles.collect());
    if info.build.is_none() {
        text.push_str("\nOnly profiles have types: choose one with --profile NAME.\n");
    }
    let repositories = info.repositories.iter().map(|source| {
        let priority = source.priority.map(|number| format!("priority {number}"));
        let mut keywords = vec![source.distribution.clone().unwrap_or_default()];
        keywords.extend(source.components.iter().cloned());
        vec![
            source.source.clone(),
            source.kind.unwrap_or_default().to_owned(),
            keywords.join(" ").trim().to_owned(),
            source.alias.clone().unwrap_or_default(),
            priority.unwrap_or_default(),
            mark(source.in_image, "in the image"),
            mark(!source.used_by_build, "not for the build"),
        ]
    });
    section(&mut text, "Repositories", repositories.collect());
    let packages = &info.packages;
    for (title, names) in [
        ("Bootstrap packages", &packages.bootstrap),
        ("Packages", &packages.image),
        ("Patterns", &packages.patterns),
        ("Ignored packages", &packages.ignored),
        ("Packages uninstalled at the end", &packages.uninstall),
        ("Packages deleted at the end", &packages.delete),
        ("Archives", &packages.archives),
    ] {
        let title = if names.len() > 1 { format!("{title} ({})", names.len()) } else { title.to_owned() };
        section(&mut text, &title, names.iter().map(|name| vec![name.clone()]).collect());
    }
    if let Some(resolved) = &info.resolved {
        let row = |package: &super::facts::Resolved| {
            vec![package.name.clone(), package.version.clone(), package.architecture.clone()]
        };
        let title = format!("Packages that would be installed ({})", resolved.len());
        section(&mut text, &title, resolved.iter().map(row).collect());
    }
    section(&mut text, ".profile", info.profile_text().lines().map(|line| vec![line.to_owned()]).collect());
    text
}

fn of_profiles(profiles: &[String]) -> String {
    match profiles {
        [] => String::new(),
        names => format!("with profile {}", names.join(", ")),
    }
}

fn row(columns: [&str; 2]) -> Vec<String> {
    columns.map(str::to_owned).to_vec()
}

/// Returns rows under a title, after a blank line.
fn section(text: &mut String, title: &str, table: Vec<Vec<String>>) {
    if table.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}\n"));
    text.extend(rows(&table).lines().map(|line| format!("  {line}\n")));
}

/// Aligns columns; empty columns, and names of two columns without a value, are omitted.
fn rows(table: &[Vec<String>]) -> String {
    let columns = table.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| -> usize {
        table.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in table {
        if row.len() == 2 && row[1].is_empty() && widths[1] > 0 {
            continue;
        }
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_columns_and_omits_empty_ones() {
        let table = vec![
            vec!["oem".to_owned(), String::new(), "x".to_owned()],
            vec!["squashfs".to_owned(), String::new(), String::new()],
        ];
        assert_eq!(rows(&table), "oem       x\nsquashfs\n");
    }
}
